import { newClientOp } from './clientOp';
import { Problem, problemFrom, unreachable } from './problem';
import type { Session } from './shapes';

/** Query parameters; empty ones are left out. */
export type Query = Record<string, string | number | null | undefined>;

type Known = Pick<Session, 'csrfToken'> & { user: { id: string }; workspace: { id: string } };

/** Whose page this is, with the token that every write of it must carry. */
let known: Known | null = null;

export function rememberSession(session: Known | null) {
  known = session;
}

/**
 * Whether a session is not that of this page: another window signed in as somebody else, or changed the workspace. An
 * older server beside this one does not say whose it is.
 */
export const isAnothers = (userId: string | undefined, workspaceId: string | undefined) =>
  known !== null &&
  (known.user.id !== (userId ?? known.user.id) || known.workspace.id !== (workspaceId ?? known.workspace.id));

const STARTED_OVER = 'leadline-started-over';

/** Begins anew with the session of now: what the page holds is somebody else's, or another workspace's. */
export function startOver() {
  window.sessionStorage.setItem(STARTED_OVER, 'yes');
  window.location.assign('/board');
}

/** Whether the page has just begun anew; answers so once. */
export function hasStartedOver(): boolean {
  const has = window.sessionStorage.getItem(STARTED_OVER) !== null;
  window.sessionStorage.removeItem(STARTED_OVER);
  return has;
}

/** What a write carries beside its body. */
export function csrfHeaders(): Record<string, string> {
  return { ...(known?.csrfToken && { 'X-CSRF-Token': known.csrfToken }), 'X-Client-Op': newClientOp() };
}

/** Writes, and once more where another window of the same user in the same workspace signed in since. */
export async function write<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'csrf_token_mismatch' || !known) throw error;
    const now = await request<Session>('GET', '/v1/session');
    if (isAnothers(now.user.id, now.workspace.id)) {
      startOver();
      throw new Problem(403, error.code, 'Another window went on in another workspace, or as somebody else.');
    }
    rememberSession(now);
    return send();
  }
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
  post: <T>(path: string, body: unknown = {}) => write(() => request<T>('POST', path, body)),
  put: <T>(path: string, body: unknown) => write(() => request<T>('PUT', path, body)),
  patch: <T>(path: string, body: unknown) => write(() => request<T>('PATCH', path, body)),
  delete: <T = unknown>(path: string) => write(() => request<T>('DELETE', path)),
};

/** Some lists answer an array, most a page of `data`; screens that show all of it take either. */
export const rowsOf = <T>(answer: T[] | { data: T[] }): T[] => (Array.isArray(answer) ? answer : answer.data);
