// An answer for which the backend has to ask Shopify or Grist: looked for until it is there. Fetched only when it is needed.

const FIRST_LOOK_MS = 150;
const LONGEST_LOOK_MS = 1_000;
const PATIENCE_MS = 120_000;

/** What `look()` resolves to once that is the answer; null where it stays away. */
export async function patiently(look) {
  const until = Date.now() + PATIENCE_MS;
  for (let pause = FIRST_LOOK_MS; Date.now() < until; pause = Math.min(2 * pause, LONGEST_LOOK_MS)) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    const response = await look();
    if (response.status !== 202 || (await response.clone().json()).asked === undefined) return response;
  }
  return null;
}
