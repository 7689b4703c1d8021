/**
 * One try to hand a submission over. `text/plain` needs no preflight, `keepalive` outlives the page.
 * Only an answer that is certainly Leadline's counts: a captive portal's 200 is no receipt.
 */

const TIMEOUT_MS = 20_000;
/** Browsers refuse keepalive bodies of 64 KiB in all. */
const KEEPALIVE_BYTES = 60_000;

export interface Answer {
  receipt?: string;
  leadId?: string | null;
  duplicate?: boolean;
  redirectUrl?: string;
  title?: string;
  detail?: string;
}

/** `refused` is for good; what is `queued` may work later. */
export interface Outcome {
  state: "submitted" | "refused" | "queued";
  answer: Answer;
}

export async function post(url: string, body: string): Promise<Outcome> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "text/plain;charset=UTF-8" },
      body,
      credentials: "omit",
      keepalive: new Blob([body]).size < KEEPALIVE_BYTES,
      signal: abort.signal,
    });
    const answer: Answer = await response.json();
    if (response.ok && answer.receipt) return { state: "submitted", answer };
    if (isFinal(response.status)) return { state: "refused", answer };
  } catch {
    // Offline, refused by the page's policy, or not an answer of ours.
  } finally {
    clearTimeout(timer);
  }
  return { state: "queued", answer: {} };
}

function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status);
}
