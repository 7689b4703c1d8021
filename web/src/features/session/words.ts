const REFUSED: Record<string, string> = {
  over: 'The sign-in took too long, was finished already, or began in another browser. Try again.',
  again: 'Something about your account changed at this very moment. Try again.',
  cancelled: 'You did not sign in at the provider.',
  no_email: 'The provider did not tell your e-mail address. Ask your administrator to have it sent along.',
  email_unverified: 'The provider does not say that your e-mail address is verified. Verify it there and try again.',
  other_domain: 'Your e-mail address is at a domain that this workspace does not take.',
  disabled: 'Your account is switched off. Ask an administrator of the workspace.',
  not_invited: 'Nobody has invited you into this workspace yet. Ask one of its administrators.',
  other_subject:
    'Your e-mail address belonged to somebody else at your provider before. Ask an administrator of the workspace.',
  elsewhere: 'You belong to another workspace, too. Sign in with your password.',
  other_issuer: 'The answer came from another provider than the one that was asked. Try again.',
  provider_refused: 'The provider did not let you in. Try again, or ask an administrator.',
  provider_unreachable: 'The provider does not answer. Try again shortly.',
  provider_unusable: 'The provider is not set up rightly. An administrator can check it in the settings.',
  token_refused: 'What the provider said about you cannot be believed. Tell an administrator: the audit log says why.',
  too_many_attempts: 'Too many attempts. Wait a quarter of an hour.',
};

/** Why somebody was not let in by a provider. Words that nobody knows are not shown: they stand in an address. */
export const refusedWords = (refused: string) =>
  Object.hasOwn(REFUSED, refused) ? REFUSED[refused] : 'You were not let in. Try again, or ask an administrator.';
