/** An error the API answered, or a failure to reach it (`status` 0). */
export interface FieldError {
  pointer: string;
  message: string;
}

/** What somebody else wrote where we would write something else. */
export interface Conflict {
  pointer: string;
  yours: unknown;
  theirs: unknown;
}

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: FieldError[];
  readonly requestId: string | null;
  readonly conflicts: Conflict[];

  constructor(
    status: number,
    code: string,
    detail: string,
    errors: FieldError[] = [],
    requestId: string | null = null,
    conflicts: Conflict[] = [],
  ) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.requestId = requestId;
    this.conflicts = conflicts;
  }
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** Reads `application/problem+json`; whatever is missing gets words of ours. */
export function problemFrom(status: number, body: unknown): Problem {
  const json = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  const errors = Array.isArray(json.errors)
    ? json.errors.filter((e): e is FieldError => typeof e?.pointer === 'string' && typeof e?.message === 'string')
    : [];
  const detail =
    textOf(json.detail) ??
    textOf(json.title) ??
    (status >= 500 ? 'The server could not do this. Try again in a moment.' : 'The server refused this.');
  const conflicts = Array.isArray(json.conflicts)
    ? json.conflicts.filter((c): c is Conflict => typeof c?.pointer === 'string')
    : [];
  const code = textOf(json.code) ?? `http_${status}`;
  return new Problem(status, code, detail, errors, textOf(json.requestId), conflicts);
}

export const unreachable = () =>
  new Problem(0, 'unreachable', 'The server cannot be reached. Check your connection and try again.');

/** One sentence for a person, with the request id where the fault is the server's. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Problem)) return 'Something failed on this page. Reload it and try again.';
  const sentences = error.errors.length > 0 ? error.errors.map(fieldSentence).join(' ') : error.message;
  return error.status >= 500 && error.requestId ? `${sentences} (request ${error.requestId})` : sentences;
}

function fieldSentence({ pointer, message }: FieldError): string {
  const field = pointer.split('/').filter(Boolean).join(' ');
  if (field === '') return ended(capitalised(message));
  return ended(`${capitalised(field.replace(/([A-Z])/g, ' $1').toLowerCase())}: ${message}`);
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
const ended = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);

/** Field errors by top-level field name, as Mantine forms want them. */
export function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof Problem)) return {};
  const byField: Record<string, string> = {};
  for (const { pointer, message } of error.errors) {
    const field = pointer.split('/').filter(Boolean)[0];
    if (field && !(field in byField)) byField[field] = ended(capitalised(message));
  }
  return byField;
}
