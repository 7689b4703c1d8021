/**
 * The script of one WhatsApp widget: `<script async src="https://HOST/w/WIDGETID.js"></script>`. The server puts the
 * widget's settings in. It needs nothing of embed.js and gets along with it: both keep what cannot be sent in the same
 * queue.
 */

import { newId } from "../ids";
import { attempt, drop, enqueue, type Entry, isDurable, startQueue } from "../queue";
import type { Answer, Outcome } from "../send";
import { read, readJson } from "../storage";
import type { Settings } from "./settings";
import { type Entered, showWidget, type Word } from "./view";

/** Put in by the server. */
declare const __LEADLINE_WIDGET__: Settings;

/** How long a visitor waits for a page's own fetch before the request is made without it. */
const PATIENCE_MS = 5_000;

function start(settings: Settings): void {
  const tag = (document.currentScript as HTMLScriptElement | null) ?? document.querySelector<HTMLScriptElement>(`script[src*="/w/${settings.id}.js"]`);
  const shown = Symbol.for(`leadline.widget.${settings.id}`);
  const host = window as unknown as Record<symbol, boolean>;
  if (!tag?.src || host[shown]) return;
  host[shown] = true;
  const base = new URL("../", tag.src).href;
  let content = "";
  let id = "";
  const send = (entered: Entered): Promise<Word> => {
    const { tookMs, ...own } = entered;
    // The same words are the same submission, however often they are sent.
    if (content !== JSON.stringify(own)) id = newId();
    content = JSON.stringify(own);
    return deliver(settings, enqueue(id, `${base}w/${settings.id}/captures`, bodyOf(own, tookMs, id)));
  };
  // Not into the body, which pages hide, transform and replace.
  showWidget(document.documentElement, settings, send);
  startQueue(base, () => {});
}

/** What the site's own script keeps of the visitor, with the consent that this needs; nothing where it is not there. */
interface Touches {
  first: unknown;
  last: { at: string; clickIds?: Record<string, string> } & Record<string, string>;
}

function bodyOf({ name, phone, message, honeypot }: Omit<Entered, "tookMs">, tookMs: number, id: string): string {
  const touches = readJson<Touches>("touches");
  const { at: _, clickIds, ...origin } = touches?.last ?? ({} as Touches["last"]);
  return JSON.stringify({
    referrer: document.referrer,
    ...origin,
    ...clickIds,
    pageUrl: location.href,
    __first_touch: touches && JSON.stringify(touches.first),
    __visitor_id: read("visitor") ?? undefined,
    name: name || undefined,
    phone,
    message,
    __pg_hp: honeypot,
    __pg_tts: String(tookMs),
    submissionId: id,
  });
}

async function deliver(settings: Settings, entry: Entry): Promise<Word> {
  let outcome = await Promise.race([attempt(entry), wait(PATIENCE_MS)]);
  if (outcome.state === "queued") outcome = await postOtherwise(entry);
  const { state, answer } = outcome;
  if (state === "refused") return { text: answer.detail || answer.title || "Please check the phone number.", isBad: true };
  const link = whatsApp(answer.redirectUrl) ?? `https://wa.me/${settings.phoneNumber.replace(/\D/g, "")}`;
  if (state === "submitted") {
    location.assign(link);
    return { text: "Opening WhatsApp…", link };
  }
  const text = isDurable(entry) ? "Your message is kept and will be sent as soon as the connection allows." : "Your message has not been sent yet. Please keep this page open.";
  return { text, link };
}

/** Nothing but WhatsApp is opened, whoever answered. */
function whatsApp(url?: string): string | undefined {
  return url?.startsWith("https://wa.me/") ? url : undefined;
}

/** Pages wrap or replace `fetch`; the older way is left alone. The submission keeps its id, so both may arrive. */
function postOtherwise(entry: Entry): Promise<Outcome> {
  return new Promise((done) => {
    const queued: Outcome = { state: "queued", answer: {} };
    try {
      const request = new XMLHttpRequest();
      request.open("POST", entry.url);
      request.timeout = PATIENCE_MS;
      request.setRequestHeader("Content-Type", "text/plain;charset=UTF-8");
      request.setRequestHeader("Accept", "application/json");
      request.onloadend = () => done(judge(request, entry) ?? queued);
      request.send(entry.body);
    } catch {
      done(queued);
    }
  });
}

function judge({ status, responseText }: XMLHttpRequest, entry: Entry): Outcome | undefined {
  try {
    const answer: Answer & { receipt?: string } = JSON.parse(responseText);
    const state = status === 200 && answer.receipt ? "submitted" : status === 422 || status === 403 || status === 404 ? "refused" : undefined;
    if (!state) return undefined;
    drop(entry);
    return { state, answer };
  } catch {
    return undefined;
  }
}

function wait(ms: number): Promise<Outcome> {
  return new Promise((done) => setTimeout(() => done({ state: "queued", answer: {} }), ms));
}

try {
  start(__LEADLINE_WIDGET__);
} catch {
  // A page is never to notice that this script failed.
}
