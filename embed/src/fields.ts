/**
 * What a submission says: the visitor's own fields, without passwords, payment cards and file contents, and
 * what the script knows about the visit.
 */

import { attributionFields } from "./attribution";
import { quietly } from "./quietly";
import { report } from "./tracker";
import { visitorFields } from "./visitor";

export type Fields = Record<string, unknown>;

/** Shows that this script was there, and when it was fetched: the server puts it in as it serves the file. */
const FORM_TOKEN = "$FORM_TOKEN$";

const SECRET_NAME = /passw|pwd|(^|[^a-z])cc[-_ ]?(name|num|exp|csc|cvc|type)|card.?(num|code|exp)|cvv|cvc/i;
const SECRET_FIELD =
  '[type=password],[autocomplete*="cc-" i],[autocomplete*="password" i],[autocomplete="one-time-code" i],[data-leadline-ignore],[data-leadline-ignore] *';

/** The names in this form that never leave the browser. */
export function secretNames(form: HTMLFormElement): Set<string> {
  const names = new Set<string>();
  // Not `form.elements`: a field called "elements" would stand in its place.
  for (const field of document.querySelectorAll<HTMLInputElement>(SECRET_FIELD)) {
    if (field.form === form) names.add(field.name);
  }
  return names;
}

export function isSecret(name: string, secrets?: Set<string>): boolean {
  return SECRET_NAME.test(name) || !!secrets?.has(name);
}

/** The form's own fields. A name that repeats becomes a list, a file its name. */
export function readForm(form: HTMLFormElement, data: FormData): Fields {
  const secrets = secretNames(form);
  const fields = new Map<string, unknown>();
  data.forEach((entry, name) => {
    const value = typeof entry === "string" ? entry : entry.name;
    if (isSecret(name, secrets) || (!value && value !== entry)) return;
    const before = fields.get(name);
    fields.set(name, before === undefined ? value : ([] as unknown[]).concat(before, value));
  });
  // Not plain assignment: a field may be called "__proto__".
  return Object.fromEntries(fields);
}

/** What the script knows about the visit. The visit itself is told of at once, so that it is there before the lead. */
export function contextFields(): Record<string, string> {
  quietly(report)();
  return {
    ...attributionFields(),
    ...visitorFields(),
    __form_token: FORM_TOKEN,
    __timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  };
}

/** The whole submission as it travels. What the form itself says wins. */
export function toBody(own: Fields, context: Fields): string {
  const whole = new Map(Object.entries(context));
  for (const [name, value] of Object.entries(own)) {
    if (value !== "" || !whole.has(name)) whole.set(name, value);
  }
  return JSON.stringify(Object.fromEntries(whole));
}
