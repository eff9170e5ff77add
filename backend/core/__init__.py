"""What a sync decides, as arithmetic: values in, values out. No I/O, no clock, no chance, nothing but the
standard library and itself; a test holds that."""
