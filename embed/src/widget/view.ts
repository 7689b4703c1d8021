/**
 * The widget's button and dialog, in a closed shadow root. Made of elements and the CSSOM alone: a strict policy or
 * Trusted Types have nothing to refuse. The dashboard draws its preview with the same code.
 */

import { hostStyle, styleText } from "./style";
import type { Settings } from "./settings";

export interface Entered {
  name: string;
  phone: string;
  message: string;
  honeypot: string;
  /** From opening the dialog to sending, in milliseconds. */
  tookMs: number;
}

/** What the visitor is told: a word for the eye and the screen reader, and where to go on by hand. */
export interface Word {
  text: string;
  isBad?: boolean;
  link?: string;
}

type Send = (entered: Entered) => Promise<Word>;

type Attributes = Record<string, string>;

const SVG = "http://www.w3.org/2000/svg";
const BUBBLE = "M12 2a10 10 0 0 0-8.7 14.9L2 22l5.3-1.3A10 10 0 1 0 12 2m-4 7h8v2H8zm0 4h6v2H8z";

/** Puts the widget into `parent`. A preview stays where its parent is, shows its dialog and takes no focus. */
export function showWidget(parent: Element, settings: Settings, send: Send, isPreview = false): HTMLElement {
  const host = document.createElement("div");
  if (!isPreview) host.style.cssText = hostStyle(settings);
  const root = host.attachShadow({ mode: "closed" });
  const frame = make("div", isPreview ? { class: "preview" } : {});
  root.append(frame);
  dress(root, styleText(settings));

  const opener = make("button", { class: "open", type: "button", "aria-haspopup": "dialog", "aria-label": "Chat on WhatsApp" });
  opener.append(icon());
  const dialog = make("dialog", { "aria-labelledby": "t" });
  let openedAt = 0;
  const close = () => (dialog.close ? dialog.close() : dialog.removeAttribute("open"));
  opener.onclick = () => {
    openedAt = performance.now();
    if (dialog.showModal && !isPreview) dialog.showModal();
    else dialog.setAttribute("open", "");
  };
  const closer = make("button", { class: "close", type: "button", "aria-label": "Close" }, "×");
  closer.onclick = close;
  // The dialog's own area ends with its padding, so a click on nothing inside it is one beside it.
  dialog.onclick = ({ target, clientX, clientY }) => {
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    const isBeside = clientX < left || clientX > right || clientY < top || clientY > bottom;
    if (target === dialog && isBeside && !isPreview) close();
  };
  const form = makeForm(settings, (entered) => send({ ...entered, tookMs: Math.round(performance.now() - openedAt) }), isPreview);
  dialog.append(make("h2", { id: "t", dir: "auto" }, settings.greeting), closer, form);
  frame.append(opener, dialog);
  // A page's shortcuts are not for what is typed in here.
  for (const kind of ["keydown", "keypress", "keyup"]) root.addEventListener(kind, (event) => event.stopPropagation());
  if (isPreview) dialog.setAttribute("open", "");
  parent.append(host);
  return host;
}

function makeForm(settings: Settings, send: (entered: Omit<Entered, "tookMs">) => Promise<Word>, isPreview: boolean): HTMLFormElement {
  const form = make("form", {});
  const name = make("input", { autocomplete: "name", maxlength: "200" });
  const phone = make("input", {
    type: "tel",
    autocomplete: "tel",
    required: "",
    maxlength: "40",
    pattern: "(.*\\d){5,}.*",
    title: "Your number with its country code, such as +44 20 7946 0001",
  });
  const message = make("textarea", { rows: "3", maxlength: "4000" });
  const honeypot = make("input", { class: "hp", tabindex: "-1", autocomplete: "off", "aria-hidden": "true" });
  const button = make("button", { class: "send" }, "Continue on WhatsApp");
  const word = make("p", { role: "status" });
  (settings.nameField ? name : phone).autofocus = !isPreview;
  if (settings.nameField) form.append(labelled("Name", name));
  form.append(labelled("Phone", phone), labelled("Message", message), honeypot);
  form.append(make("p", { dir: "auto" }, settings.consentText ?? ""), button, word);
  form.onsubmit = async (event) => {
    event.preventDefault();
    // Not `disabled`, which would take the focus away.
    if (button.ariaDisabled === "true") return;
    button.setAttribute("aria-disabled", "true");
    word.className = "";
    word.textContent = "Sending…";
    const { value: honey } = honeypot;
    const told = await send({ name: name.value, phone: phone.value, message: message.value, honeypot: honey });
    button.removeAttribute("aria-disabled");
    word.className = told.isBad ? "bad" : "";
    word.textContent = `${told.text} `;
    if (told.link) word.append(make("a", { href: told.link, target: "_blank", rel: "noopener" }, "Open WhatsApp"));
  };
  return form;
}

function labelled(text: string, field: HTMLElement): HTMLElement {
  const label = make("label", {}, text);
  label.append(field);
  return label;
}

function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, attributes: Attributes, text = ""): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

function icon(): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", BUBBLE);
  svg.append(path);
  return svg;
}

/** A constructed sheet is not an inline style; a browser without them gets one that a strict policy may refuse. */
function dress(root: ShadowRoot, css: string): void {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(make("style", {}, css));
  }
}
