/**
 * Where the visitor came from. A visit with UTM parameters, a click id or a foreign referrer is a touch;
 * the first one is kept for ever, the last one until the next. A direct visit never replaces a touch.
 */

import { readJson, remove, write } from "./storage";
import { parseUrl } from "./urls";
import { mayRecognise } from "./visitor";

const UTM = ["Source", "Medium", "Campaign", "Term", "Content"];
const CLICK_IDS =
  "gclid gbraid wbraid dclid fbclid msclkid ttclid twclid li_fat_id yclid ScCid rdt_cid epik irclickid ctwa_clid".split(" ");
const MAX_LENGTH = 500;

/** In the words of the API, since the first touch travels as it is kept. */
type Touch = { at: string; pageUrl: string; clickIds?: Record<string, string> } & Record<string, unknown>;

interface Touches {
  first: Touch;
  last: Touch;
}

const landing = readLanding();

/** Keeps this visit, where that is allowed. To be called at the start and after consent. */
export function noteVisit(): void {
  if (mayRecognise()) write("touches", JSON.stringify(touches()));
}

export function forgetVisits(): void {
  remove("touches");
}

/** The last touch as form fields, and the first one where it was another. */
export function attributionFields(): Record<string, string> {
  const { first, last } = touches();
  const fields: Record<string, string> = {
    page_url: location.href,
    referrer: String(last.referrer ?? document.referrer),
    ...last.clickIds,
  };
  for (const name of UTM) {
    const value = last[`utm${name}`];
    if (value) fields[`utm_${name.toLowerCase()}`] = String(value);
  }
  if (withoutTime(first) !== withoutTime(last)) fields.__first_touch = JSON.stringify(first);
  return fields;
}

function touches(): Touches {
  const kept = mayRecognise() ? readJson<Touches>("touches") : undefined;
  if (!kept?.first || !kept.last) return { first: landing, last: landing };
  return { first: kept.first, last: isTouch(landing) ? landing : kept.last };
}

function readLanding(): Touch {
  const query = new URLSearchParams(location.search);
  const touch: Touch = { at: new Date().toISOString(), pageUrl: location.href };
  if (isForeign(document.referrer)) touch.referrer = document.referrer;
  for (const name of UTM) {
    const value = query.get(`utm_${name.toLowerCase()}`);
    if (value) touch[`utm${name}`] = value.slice(0, MAX_LENGTH);
  }
  const clickIds: Record<string, string> = {};
  for (const name of CLICK_IDS) {
    const value = query.get(name);
    if (value) clickIds[name] = value.slice(0, MAX_LENGTH);
  }
  if (Object.keys(clickIds).length) touch.clickIds = clickIds;
  return touch;
}

/** A touch says more than when and where. */
function isTouch(visit: Touch): boolean {
  return Object.keys(visit).length > 2;
}

/** `shop.example.com` and `www.example.com` are one site. */
function isForeign(referrer: string): boolean {
  const from = dotted(parseUrl(referrer)?.hostname ?? "");
  const here = dotted(location.hostname);
  return !!referrer && !from.endsWith(here) && !here.endsWith(from);
}

function dotted(host: string): string {
  return `.${host.replace(/^www\./, "")}`;
}

function withoutTime(touch: Touch): string {
  return JSON.stringify({ ...touch, at: "" });
}
