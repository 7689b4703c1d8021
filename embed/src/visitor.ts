/**
 * Who is here: a visitor id that lasts and a session id that ends after 30 quiet minutes.
 * Neither exists before consent where consent is required, nor under Global Privacy Control or Do Not Track.
 */

import { newId } from "./ids";
import { read, readJson, remove, write } from "./storage";

const SESSION_MS = 30 * 60_000;

interface Session {
  id: string;
  seen: number;
}

let consent = true;

export function setConsent(granted: boolean): void {
  consent = granted;
  if (granted) return;
  remove("visitor");
  remove("session");
}

/** Whether the visitor may be recognised again. A privacy signal of the browser outranks the page. */
export function mayRecognise(): boolean {
  const signals = navigator as Navigator & { globalPrivacyControl?: boolean };
  return consent && !signals.globalPrivacyControl && signals.doNotTrack !== "1";
}

/** The ids to send along; empty where the visitor may not be recognised. Keeps the session alive. */
export function visitorFields(): Record<string, string> {
  if (!mayRecognise()) return {};
  const visitor = read("visitor") || newId();
  write("visitor", visitor);
  const now = Date.now();
  const last = readJson<Session>("session");
  const session = last && now - last.seen < SESSION_MS ? last.id : newId();
  write("session", JSON.stringify({ id: session, seen: now }));
  return { __visitor_id: visitor, __session_id: session };
}
