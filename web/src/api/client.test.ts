import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api, isAnothers, rememberSession, rowsOf, withQuery } from './client';
import { isOwnOp, newClientOp } from './clientOp';
import { fieldErrors, messageOf, Problem, problemFrom } from './problem';

const fetchMock = vi.fn<typeof fetch>();

beforeEach(() => vi.stubGlobal('fetch', fetchMock));
afterEach(() => {
  vi.unstubAllGlobals();
  fetchMock.mockReset();
  rememberSession(null);
});

const answer = (status: number, body: unknown) => new Response(body === null ? null : JSON.stringify(body), { status });
const session = (csrfToken = 'secret', workspace = 'lofts') => ({
  csrfToken,
  user: { id: 'ada' },
  workspace: { id: workspace },
});
const sentHeaders = () => fetchMock.mock.calls[0]?.[1]?.headers as Record<string, string>;

describe('a request', () => {
  it('carries the write token and a client operation when it writes', async () => {
    rememberSession(session());
    fetchMock.mockResolvedValue(answer(200, { id: 'x' }));

    await api.patch('/v1/x', { a: 1 });

    expect(sentHeaders()['X-CSRF-Token']).toBe('secret');
    expect(isOwnOp(sentHeaders()['X-Client-Op'])).toBe(true);
  });

  it('carries neither when it reads', async () => {
    rememberSession(session());
    fetchMock.mockResolvedValue(answer(200, []));

    await api.get('/v1/x', { page: 2, search: '' });

    expect(fetchMock.mock.calls[0]?.[0]).toBe('/v1/x?page=2');
    expect(sentHeaders()).not.toHaveProperty('X-CSRF-Token');
  });

  it('outlives its page when it writes, unless it is long', async () => {
    fetchMock.mockImplementation(async () => answer(200, {}));

    await api.patch('/v1/x', { a: 1 });
    await api.delete('/v1/x');
    await api.post('/v1/x', { text: 'x'.repeat(70_000) });
    await api.get('/v1/x');

    expect(fetchMock.mock.calls.map(([, init]) => init?.keepalive)).toEqual([true, true, false, false]);
  });

  it('is written once more with the token of now where another window signed in', async () => {
    rememberSession(session());
    fetchMock
      .mockResolvedValueOnce(answer(403, { code: 'csrf_token_mismatch' }))
      .mockResolvedValueOnce(answer(200, session('anew')))
      .mockResolvedValueOnce(answer(200, { id: 'x' }));

    await expect(api.patch('/v1/x', { a: 1 })).resolves.toEqual({ id: 'x' });

    const sent = fetchMock.mock.calls.map(([path, init]) => [path, new Headers(init?.headers).get('X-CSRF-Token')]);
    expect(sent).toEqual([
      ['/v1/x', 'secret'],
      ['/v1/session', null],
      ['/v1/x', 'anew'],
    ]);
  });

  it('takes a session for another one only where it says whose it is', () => {
    expect(isAnothers('ben', 'lofts')).toBe(false);
    rememberSession(session());
    expect(isAnothers('ada', 'lofts')).toBe(false);
    expect(isAnothers('ben', 'lofts')).toBe(true);
    expect(isAnothers('ada', 'harbour')).toBe(true);
    expect(isAnothers(undefined, undefined)).toBe(false);
  });

  it('is never written in another workspace', async () => {
    const assign = vi.fn();
    vi.stubGlobal('location', { assign });
    rememberSession(session());
    fetchMock
      .mockResolvedValueOnce(answer(403, { code: 'csrf_token_mismatch' }))
      .mockResolvedValueOnce(answer(200, session('anew', 'harbour')));

    await expect(api.post('/v1/x', { a: 1 })).rejects.toMatchObject({ code: 'csrf_token_mismatch' });

    expect(fetchMock).toHaveBeenCalledTimes(2);
    expect(assign).toHaveBeenCalledWith('/board');
  });

  it('answers nothing for an empty body', async () => {
    fetchMock.mockResolvedValue(answer(204, null));

    await expect(api.delete('/v1/x')).resolves.toBeUndefined();
  });

  it('fails with the problem the server described', async () => {
    fetchMock.mockResolvedValue(
      answer(422, {
        detail: 'Some fields need a change.',
        code: 'invalid',
        errors: [{ pointer: '/email', message: 'is not an e-mail address' }],
      }),
    );

    const failure = await api.post('/v1/x').catch((error: unknown) => error);

    expect(failure).toMatchObject({ status: 422, code: 'invalid' });
    expect(fieldErrors(failure)).toEqual({ email: 'Is not an e-mail address.' });
  });

  it('says that the server cannot be reached', async () => {
    fetchMock.mockRejectedValue(new TypeError('Failed to fetch'));

    await expect(api.get('/v1/x')).rejects.toMatchObject({ status: 0, code: 'unreachable' });
  });
});

describe('a problem in words', () => {
  it('names the fields', () => {
    const problem = problemFrom(422, {
      detail: 'x',
      errors: [{ pointer: '/newPassword', message: 'use at least 10 characters' }],
    });

    expect(messageOf(problem)).toBe('New password: use at least 10 characters.');
  });

  it('gives the request id where the fault is the server’s', () => {
    expect(messageOf(problemFrom(500, { detail: 'It broke.', requestId: 'r1' }))).toBe('It broke. (request r1)');
    expect(messageOf(problemFrom(404, { detail: 'Not there.', requestId: 'r1' }))).toBe('Not there.');
  });

  it('survives a body that is no problem document', () => {
    expect(problemFrom(502, undefined)).toMatchObject({ code: 'http_502' });
    expect(problemFrom(400, { errors: 'x', detail: 5 }).message).toBe('The server refused this.');
    expect(fieldErrors(new Error('x'))).toEqual({});
    expect(messageOf(new Problem(400, 'c', 'Said.'))).toBe('Said.');
  });
});

describe('small parts', () => {
  it('leaves empty query parameters out', () => {
    expect(withQuery('/p', { a: null, b: undefined, c: '', d: 0 })).toBe('/p?d=0');
    expect(withQuery('/p')).toBe('/p');
  });

  it('takes a list with and without a page around it', () => {
    expect(rowsOf([1])).toEqual([1]);
    expect(rowsOf({ data: [2] })).toEqual([2]);
  });

  it('knows its own operations only', () => {
    expect(isOwnOp(newClientOp())).toBe(true);
    expect(isOwnOp('someone else')).toBe(false);
    expect(isOwnOp(null)).toBe(false);
  });
});
