/** Where this script came from, and what its tag asks for. */

export interface Config {
  /** The server's address with a trailing slash; forms post to `<base>f/<key>`. */
  base: string;
  /** Nothing that recognises the visitor is kept or sent before consent. */
  consentRequired: boolean;
}

/** Must run while the script itself runs: `currentScript` is gone afterwards. */
export function readConfig(): Config | undefined {
  const tag =
    (document.currentScript as HTMLScriptElement | null) ??
    document.querySelector<HTMLScriptElement>('script[data-site][src*="embed.js"]');
  if (!tag?.src) return undefined;
  return {
    base: new URL(".", tag.src).href,
    consentRequired: tag.dataset.consent === "required",
  };
}
