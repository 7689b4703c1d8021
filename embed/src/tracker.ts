/**
 * What the visitor does: pages, how long they were looked at, how far they were read, clicks. A beacon says how things
 * stand every 15 seconds, when the page is left and when a form is sent; one that is lost is made good by the next.
 * Without consent, and under the browser's privacy signals, nothing is counted at all.
 */

import { quietly } from "./quietly";
import { visitorFields } from "./visitor";

/** In the words of the API, since views travel as they are kept. */
interface View {
  at: number;
  url: string;
  ms: number;
  scroll: number;
  clicks: number;
}

const BEAT_MS = 15_000;
/** More between two beats than this is a machine that slept. */
const LONGEST_STRETCH_MS = 20_000;
const LONGEST_URL = 2_000;
/** A beacon carries 64 KiB. */
const MOST_VIEWS = 25;

let target = "";
let session: string | undefined;
/** The page that is looked at, and those before it that were not told of. */
let view: View | undefined;
let finished: View[] = [];
let isChanged = false;
/** Since when the page is seen, as far as that is not counted yet. */
let seenSince: number | undefined;

export function startTracker(address: string): void {
  target = address;
  const on = (name: string, listener: (event: Event) => void) => addEventListener(name, quietly(listener), true);
  for (const name of ["pushState", "replaceState"] as const) {
    const original = history[name];
    history[name] = function (...state) {
      original.apply(this, state);
      quietly(follow)();
    };
  }
  on("popstate", follow);
  on("visibilitychange", report);
  on("pagehide", report);
  on("scroll", () => {
    const { scrollTop, scrollHeight, clientHeight } = document.scrollingElement as Element;
    change("scroll", Math.round((100 * scrollTop) / (scrollHeight - clientHeight || 1)));
  });
  on("click", ({ isTrusted }) => isTrusted && view && change("clicks", view.clicks + 1));
  setInterval(quietly(report), BEAT_MS);
  report();
}

/** Tells how things stand, if that is new. To be called when consent changes, too. */
export function report(): void {
  const isSeen = count();
  const { __visitor_id: visitor, __session_id: id } = visitorFields();
  if (id !== session) {
    // Another visit, or none: what was counted meanwhile is nobody's.
    session = id;
    finished = [];
    view = undefined;
    isChanged = false;
  }
  if (!target || !session) return;
  if (isSeen && !view) open();
  if (!isChanged) return;
  const whole = { visitor, session, now: Date.now(), referrer: document.referrer, pages: [...finished, view] };
  if (!navigator.sendBeacon(target, JSON.stringify(whole))) return;
  finished = [];
  isChanged = false;
}

/** The address may be another one now. */
function follow(): void {
  if (!view || view.url === here()) return;
  count();
  finished.push(view);
  open();
  if (finished.length >= MOST_VIEWS) report();
}

function open(): void {
  view = { at: Date.now(), url: here(), ms: 0, scroll: 0, clicks: 0 };
  isChanged = true;
}

/** Adds the time since the last look, and tells whether the page is seen now. */
function count(): boolean {
  const now = performance.now();
  if (view && seenSince) change("ms", view.ms + Math.round(Math.min(now - seenSince, LONGEST_STRETCH_MS)));
  const isSeen = document.visibilityState === "visible";
  seenSince = isSeen ? now : undefined;
  return isSeen;
}

function change(what: "ms" | "scroll" | "clicks", value: number): void {
  if (!view || value <= view[what]) return;
  view[what] = value;
  isChanged = true;
}

/** A fragment is a page only where it is an application's route. */
function here(): string {
  return location.href.replace(/#(?!\/).*/, "").slice(0, LONGEST_URL);
}
