import { newClientOp } from './clientOp';
import { problemFrom, unreachable } from './problem';

/** Query parameters; empty ones are left out. */
export type Query = Record<string, string | number | null | undefined>;

let csrfToken: string | null = null;

/** The token every write must carry; it comes with the session. */
export function rememberCsrfToken(token: string | null) {
  csrfToken = token;
}

/** What a write carries beside its body. */
export function csrfHeaders(): Record<string, string> {
  return { ...(csrfToken && { 'X-CSRF-Token': csrfToken }), 'X-Client-Op': newClientOp() };
}

export function withQuery(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') params.set(key, String(value));
  }
  const text = params.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Browsers let 64 KiB of requests in all outlive their page. */
const OUTLIVING_MAX_CHARS = 4_000;

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET') Object.assign(headers, csrfHeaders());
  const text = JSON.stringify(body);
  const response = await fetch(path, {
    method,
    headers,
    body: text,
    signal,
    // Whoever clicks and leaves at once has clicked.
    keepalive: method !== 'GET' && (text ?? '').length <= OUTLIVING_MAX_CHARS,
    credentials: 'same-origin',
  }).catch((cause: unknown) => {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw unreachable();
  });
  const parsed = parseJson(await response.text());
  if (!response.ok) throw problemFrom(response.status, parsed);
  return parsed as T;
}

function parseJson(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) =>
    request<T>('GET', withQuery(path, query), undefined, signal),
  post: <T>(path: string, body: unknown = {}) => request<T>('POST', path, body),
  put: <T>(path: string, body: unknown) => request<T>('PUT', path, body),
  patch: <T>(path: string, body: unknown) => request<T>('PATCH', path, body),
  delete: <T = unknown>(path: string) => request<T>('DELETE', path),
};

/** Some lists answer an array, most a page of `data`; screens that show all of it take either. */
export const rowsOf = <T>(answer: T[] | { data: T[] }): T[] => (Array.isArray(answer) ? answer : answer.data);
