/** Where this script came from, and what its tag asks for. */

export interface Config {
  /** The server's address with a trailing slash; forms post to `<base>f/<key>`. */
  base: string;
  /** Where visits are reported; empty where the tag names no site. */
  trackerUrl: string;
  /** Nothing that recognises the visitor is kept or sent before consent. */
  consentRequired: boolean;
}

/** Must run while the script itself runs: `currentScript` is gone afterwards. */
export function readConfig(): Config | undefined {
  const tag =
    (document.currentScript as HTMLScriptElement | null) ??
    document.querySelector<HTMLScriptElement>('script[data-site][src*="embed.js"]');
  if (!tag?.src) return undefined;
  const base = new URL(".", tag.src).href;
  const { site } = tag.dataset;
  return {
    base,
    trackerUrl: site ? `${base}t/${site}` : "",
    consentRequired: tag.dataset.consent === "required",
  };
}
