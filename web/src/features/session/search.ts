/** What the sign-in page is told in its address, mostly by the way back from a sign-in provider. */
export interface SignInSearch {
  /** Whose provider is shown: the slug of a workspace. */
  workspace?: string;
  /** Why somebody was not let in. */
  refused?: string;
  /** What is wanted after the provider. */
  step?: 'code';
}

export function readSignInSearch(raw: Record<string, unknown>): SignInSearch {
  const search: SignInSearch = {};
  if (typeof raw.workspace === 'string' && /^[a-z0-9-]{1,40}$/.test(raw.workspace)) search.workspace = raw.workspace;
  if (typeof raw.refused === 'string' && raw.refused !== '') search.refused = raw.refused;
  if (raw.step === 'code') search.step = raw.step;
  return search;
}
