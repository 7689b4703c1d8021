/**
 * Submissions that are not known to have arrived, one storage key each, so that two tabs never overwrite
 * each other's. An entry leaves when the server has answered for good, or after 14 days. While one tab sends
 * an entry, its lease keeps the others away; if that tab dies, the lease runs out. A double send is harmless
 * all the same: the submission keeps its id.
 */

import { type Outcome, post } from "./send";
import { list, read, readJson, remove, survives, write } from "./storage";

const PREFIX = "queue.";
const MAX_ENTRIES = 50;
const MAX_AGE_MS = 14 * 86_400_000;
const LEASE_MS = 25_000;
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 300_000;

export interface Entry {
  id: string;
  url: string;
  body: string;
  at: number;
  tries: number;
  leasedUntil: number;
}

type OnReplay = (entry: Entry, outcome: Outcome) => unknown;

let base = "";
let onReplay: OnReplay = () => {};
let retryMs = FIRST_RETRY_MS;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Sends what earlier pages left behind, now and whenever the network comes back. */
export function startQueue(ofBase: string, replayed: OnReplay): void {
  base = ofBase;
  onReplay = replayed;
  addEventListener("online", flush);
  addEventListener("pageshow", flush);
  flush();
}

/** Keeps a submission before anything is sent. Adding the same id again replaces it. */
export function enqueue(id: string, url: string, body: string): Entry {
  const entry: Entry = { id, url, body, at: Date.now(), tries: 0, leasedUntil: 0 };
  save(entry);
  for (const old of entries().slice(0, -MAX_ENTRIES)) drop(old);
  return entry;
}

/** Whether the entry would survive the end of this page. */
export function isDurable(entry: Entry): boolean {
  return survives(PREFIX + entry.id);
}

export function drop(entry: Entry): void {
  remove(PREFIX + entry.id);
}

/** Sends one entry and keeps it only if it may work later. */
export async function attempt(entry: Entry): Promise<Outcome> {
  entry.leasedUntil = Date.now() + LEASE_MS;
  save(entry);
  const outcome = await post(entry.url, entry.body);
  if (outcome.state !== "queued") {
    drop(entry);
    retryMs = FIRST_RETRY_MS;
    return outcome;
  }
  entry.tries++;
  entry.leasedUntil = 0;
  // Another tab may have delivered it meanwhile.
  if (read(PREFIX + entry.id)) save(entry);
  retryLater();
  return outcome;
}

function flush(): void {
  clearTimeout(timer);
  timer = undefined;
  if (!entries().length) return;
  // Locks are missing on plain http and refused in sandboxed frames; the leases do without.
  const locked = navigator.locks?.request("leadline.queue", { ifAvailable: true }, (lock) =>
    lock ? drain() : retryLater(),
  );
  if (locked) locked.catch(drain);
  else drain();
}

async function drain(): Promise<void> {
  const fewestTriesFirst = entries().sort((a, b) => a.tries - b.tries);
  for (const entry of fewestTriesFirst) {
    if (isLeased(entry)) continue;
    const outcome = await attempt(entry);
    onReplay(entry, outcome);
    if (outcome.state === "queued") break;
  }
  if (entries().length) retryLater();
}

function retryLater(): void {
  if (timer) return;
  timer = setTimeout(flush, retryMs * (0.5 + Math.random()));
  retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
}

/** A lease further ahead than any lease is a clock that was set back. */
function isLeased({ leasedUntil }: Entry): boolean {
  const left = leasedUntil - Date.now();
  return left > 0 && left <= LEASE_MS;
}

/** What waits for this server, oldest first. */
function entries(): Entry[] {
  const found: Entry[] = [];
  for (const key of list(PREFIX).sort()) {
    const entry = readJson<Entry>(key);
    if (!entry?.body || Date.now() - entry.at > MAX_AGE_MS) remove(key);
    else if (entry.url.startsWith(base)) found.push(entry);
  }
  return found;
}

function save(entry: Entry): void {
  write(PREFIX + entry.id, JSON.stringify(entry));
}
