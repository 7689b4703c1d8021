/**
 * Binds forms. A form is ours to handle when it posts to our server, or when it names a form key and posts
 * nowhere else; a form that names a key and posts elsewhere is only copied.
 *
 * A submit is kept in the queue first, in the capture phase, before the page can stop the event. At the end
 * of the event we know what became of it: the page stopped it (it has an interface of its own, so we send
 * and say nothing), nobody did (we send and show the outcome), or it never came back to us, so the browser is
 * posting the form itself, with the same submission id, and the queue makes good whatever goes wrong.
 */

import { contextFields, type Fields, isSecret, readForm, secretNames, toBody } from "./fields";
import { newId } from "./ids";
import { prepareMessage, showMessage } from "./message";
import { attempt, drop, enqueue, type Entry, isDurable } from "./queue";
import { quietly } from "./quietly";
import type { Outcome } from "./send";
import { parseUrl } from "./urls";

const HONEYPOT = "__pg_hp";
/** How long a visitor looks at a form that does not answer. The sending itself may take longer. */
const PATIENCE_MS = 5_000;

interface Binding {
  url: string;
  /** The native post would reach us. */
  postsToUs: boolean;
  /** We show the outcome, unless the page does. */
  handles: boolean;
}

interface State {
  /** When the form appeared, in milliseconds since the page did. */
  since: number;
  /** The visitor's fields last time, and the id they went under: the same content is the same submission. */
  content: string;
  id: string;
  busy?: boolean;
}

interface Pending {
  event: SubmitEvent;
  form: HTMLFormElement;
  binding: Binding;
  entry: Entry;
}

const states = new WeakMap<HTMLFormElement, State>();
let base = "";
let pending: Pending | undefined;
let isReading = false;
let isBlocked = false;

export function startForms(ofBase: string): void {
  base = ofBase;
  scan(0);
  new MutationObserver(() => scan(performance.now())).observe(document, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ["data-leadline-form", "action"],
  });
  addEventListener("submit", quietly(beginSubmit), true);
  addEventListener("submit", quietly(endSubmit));
  addEventListener("formdata", quietly(completeNativePost), true);
  addEventListener("securitypolicyviolation", (event) => {
    if (event.effectiveDirective === "connect-src" && event.blockedURI.startsWith(new URL(base).origin)) isBlocked = true;
  });
}

function scan(since: number): void {
  for (const form of document.querySelectorAll("form")) {
    if (!states.has(form) && bindingOf(form)) stateOf(form, since);
  }
}

/** Sees a form for the first time, or again. */
function stateOf(form: HTMLFormElement, since: number): State {
  let state = states.get(form);
  if (!state) {
    state = { since, content: "", id: "" };
    states.set(form, state);
    addHoneypot(form);
  }
  return state;
}

function addHoneypot(form: HTMLFormElement): void {
  if (form.querySelector(`[name=${HONEYPOT}]`)) return;
  const input = document.createElement("input");
  input.name = HONEYPOT;
  input.tabIndex = -1;
  input.autocomplete = "off";
  input.setAttribute("aria-hidden", "true");
  // Not display:none, which the better bots skip; the CSSOM is free even where inline styles are not.
  input.style.cssText = "position:absolute;left:-9999px;opacity:0";
  form.append(input);
}

function bindingOf(form: HTMLFormElement, submitter?: HTMLElement | null): Binding | undefined {
  if (form.hasAttribute("data-leadline-ignore")) return undefined;
  const key = form.getAttribute("data-leadline-form");
  // Not `form.action`: a field called "action" would stand in its place.
  const action = submitter?.getAttribute("formaction") || form.getAttribute("action");
  const target = parseUrl(action)?.href ?? "";
  const postsToUs = target.startsWith(`${base}f/`);
  if (!postsToUs && !key) return undefined;
  return {
    url: postsToUs ? target : formUrl(base, String(key)),
    postsToUs,
    handles: postsToUs || (!action && !form.matches("[method=dialog i]")),
  };
}

export function formUrl(ofBase: string, key: string): string {
  return `${ofBase}f/${encodeURIComponent(key)}`;
}

function beginSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const submitter = event.submitter as HTMLButtonElement | null;
  const binding = bindingOf(form, submitter);
  if (!binding) return;
  const state = stateOf(form, performance.now());
  if (state.busy) {
    event.preventDefault();
    return;
  }
  const skipsValidity = form.hasAttribute("novalidate") || submitter?.hasAttribute("formnovalidate");
  if (!skipsValidity && form.matches(":invalid")) return;
  if (!announce(form, "leadline:submit", {})) return;

  const fields = readForm(form, collectQuietly(form));
  identify(state, fields);
  const context = contextOf(state);
  if (submitter) context.cta = (submitter.textContent || submitter.value).trim();
  if (submitter?.name) fields[submitter.name] = submitter.value;
  const entry = enqueue(state.id, binding.url, toBody(fields, context));
  pending = { event, form, binding, entry };
  setTimeout(quietly(() => pending?.entry === entry && settleUnseen(pending)));
}

/** Collecting a form's data raises the same event as a native post does. */
function collectQuietly(form: HTMLFormElement): FormData {
  isReading = true;
  try {
    return new FormData(form);
  } finally {
    isReading = false;
  }
}

/** The id stays as long as the visitor's fields do. */
function identify(state: State, fields: Fields): void {
  const content = JSON.stringify(fields);
  if (state.content !== content) state.id = newId();
  state.content = content;
}

function contextOf({ since, id }: State): Record<string, string> {
  return { ...contextFields(), __pg_tts: String(Math.round(performance.now() - since)), submissionId: id };
}

/** The event has passed the page's own listeners. */
function endSubmit(event: SubmitEvent): void {
  if (pending?.event !== event) return;
  const { form, binding, entry } = pending;
  pending = undefined;
  const showsOutcome = binding.handles && !event.defaultPrevented;
  if (showsOutcome) event.preventDefault();
  deliver(form, entry, showsOutcome);
}

/** The page stopped the event on its way back to us. */
function settleUnseen({ event, form, binding, entry }: Pending): void {
  pending = undefined;
  const isPostedNatively = binding.postsToUs && !event.defaultPrevented;
  if (!isPostedNatively) deliver(form, entry, false);
}

async function deliver(form: HTMLFormElement, entry: Entry, showsOutcome: boolean): Promise<void> {
  const sending = attempt(entry);
  if (!showsOutcome) {
    announceOutcome(form, entry, await sending);
    return;
  }
  const state = stateOf(form, 0);
  state.busy = true;
  prepareMessage(form);
  const inTime = await Promise.race([sending, wait(PATIENCE_MS)]);
  if (inTime?.state === "queued") {
    // The violation is reported a task later than the refusal that it explains.
    await wait(50);
    if (isBlocked) {
      postNatively(form, entry);
      return;
    }
  }
  state.busy = false;
  show(form, entry, inTime ?? { state: "queued", answer: {} }, true);
  if (!inTime) show(form, entry, await sending, false);
}

function wait(ms: number): Promise<undefined> {
  return new Promise((done) => setTimeout(done, ms));
}

function show(form: HTMLFormElement, entry: Entry, outcome: Outcome, isInTime: boolean): void {
  if (!announceOutcome(form, entry, outcome)) return;
  const { state, answer } = outcome;
  if (state === "queued") {
    showMessage(form, isDurable(entry) ? "queued" : "unsent");
  } else if (state === "refused") {
    showMessage(form, "refused", answer.detail || answer.title);
  } else {
    const thanks = parseUrl(answer.redirectUrl || form.getAttribute("data-leadline-thanks"));
    // Who was told to wait is not taken elsewhere all of a sudden.
    if (isInTime && thanks && /^https?:/.test(thanks.protocol)) {
      location.assign(thanks.href);
      return;
    }
    HTMLFormElement.prototype.reset.call(form);
    showMessage(form, "sent");
  }
}

/** The page's policy lets forms through but not scripts: the browser posts, under the same id. */
function postNatively(form: HTMLFormElement, entry: Entry): void {
  drop(entry);
  form.setAttribute("action", entry.url);
  form.setAttribute("method", "post");
  HTMLFormElement.prototype.submit.call(form);
}

/** Adds to a native post what the script would have sent, and takes out what it would not. */
function completeNativePost({ target, formData }: FormDataEvent): void {
  const form = target as HTMLFormElement;
  const binding = isReading ? undefined : bindingOf(form);
  if (!binding) return;
  if (!binding.postsToUs) {
    formData.delete(HONEYPOT);
    return;
  }
  const state = stateOf(form, performance.now());
  // A submit event has settled the id; its button is among the data here, and is no change of content.
  if (pending?.form !== form) identify(state, readForm(form, formData));
  const secrets = secretNames(form);
  for (const name of [...formData.keys()]) {
    if (isSecret(name, secrets)) formData.delete(name);
  }
  for (const [name, value] of Object.entries(contextOf(state))) {
    if (!formData.get(name)) formData.set(name, value);
  }
}

/** Tells the page; answers false when the page takes it from here. */
export function announceOutcome(target: EventTarget, { id }: Entry, { state, answer }: Outcome): boolean {
  return announce(target, `leadline:${state}`, { submissionId: id, ...answer });
}

function announce(target: EventTarget, name: string, detail: unknown): boolean {
  return target.dispatchEvent(new CustomEvent(name, { bubbles: true, cancelable: true, detail }));
}
