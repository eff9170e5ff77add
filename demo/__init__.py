"""Stand-ins for the two services: a simulated Shopify store and a simulated Grist document."""
