/** The words beside a form, announced to screen readers. A page styles them by `[data-leadline-message]`. */

const TEXTS = {
  sent: "Thank you. Your message has been sent.",
  queued: "Thank you. Your message is kept and will be sent as soon as the connection allows.",
  unsent: "Your message has not been sent yet. Please keep this page open.",
  refused: "Your message has not been sent. Please check it.",
};

export type MessageKind = keyof typeof TEXTS;

const regions = new WeakMap<HTMLFormElement, HTMLElement>();

/** An empty live region has to stand in the page before its text does, or it is not read out. */
export function prepareMessage(form: HTMLFormElement): HTMLElement {
  const region = regions.get(form) ?? document.createElement("div");
  regions.set(form, region);
  region.textContent = "";
  region.setAttribute("role", "status");
  if (!region.isConnected) form.after(region);
  return region;
}

/** The form's own wording, `data-leadline-sent="…"`, goes before ours, the server's reason before both. */
export function showMessage(form: HTMLFormElement, kind: MessageKind, reason?: string): void {
  const region = prepareMessage(form);
  region.setAttribute("data-leadline-message", kind);
  if (kind === "refused") region.setAttribute("role", "alert");
  region.textContent = reason || form.getAttribute(`data-leadline-${kind}`) || TEXTS[kind];
}
