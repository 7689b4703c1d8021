/** Addresses that others wrote: an attribute of the page, a referrer, the server's answer. */

/** Resolved as the page would resolve it; undefined where it is empty or no address. */
export function parseUrl(address: string | null | undefined): URL | undefined {
  try {
    return address ? new URL(address, document.baseURI) : undefined;
  } catch {
    return undefined;
  }
}
