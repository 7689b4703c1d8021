import { Alert, Button, PasswordInput, SegmentedControl, Skeleton, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '@/api/client';
import { fieldErrors, messageOf, Problem } from '@/api/problem';
import { remember, sessionQuery } from '@/api/session';
import type { Offer, Session } from '@/api/shapes';
import { PASSWORD_MIN } from '@/lib/password';
import { CodeField, wantsCode } from './CodeField';
import { Frame, focusOnMount } from './Frame';

/** What the link carries behind the hash sign, where no server and no log sees it. */
const secretOf = (hash: string) => hash.replace(/^#/, '');

export function InvitationPage() {
  const router = useRouter();
  const [token] = useState(() => secretOf(window.location.hash));
  const offer = useQuery({
    queryKey: ['invitation', token],
    queryFn: () => api.post<Offer>('/v1/invitations/look', { token }),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (offer.isPending) {
    return (
      <Frame title="An invitation" lead="One moment.">
        <Skeleton h={200} />
      </Frame>
    );
  }
  if (offer.isError) {
    const isOver = offer.error instanceof Problem && offer.error.code === 'invitation_invalid';
    return (
      <Frame
        title={isOver ? 'This invitation does not count any more' : 'An invitation'}
        lead={isOver ? 'It was used, taken back, or is too old. Whoever sent it can send a new one.' : ''}
      >
        <Stack gap="sm">
          {!isOver && <Alert color="red">{messageOf(offer.error)}</Alert>}
          <Button variant="default" onClick={() => void router.navigate({ to: '/sign-in' })}>
            Go to sign in
          </Button>
        </Stack>
      </Frame>
    );
  }
  return <Join token={token} offer={offer.data} />;
}

function Join({ token, offer }: { token: string; offer: Offer }) {
  const router = useRouter();
  const client = useQueryClient();
  const [isKnown, setKnown] = useState(false);
  const form = useForm({
    initialValues: { name: '', password: '', code: '' },
    validate: {
      name: (value) => (isKnown || value.trim() ? null : 'Enter your name.'),
      password: (value) =>
        isKnown
          ? value
            ? null
            : 'Enter your password.'
          : value.length >= PASSWORD_MIN
            ? null
            : `Use at least ${PASSWORD_MIN} characters.`,
    },
  });
  const join = useMutation({
    mutationFn: ({ name, password, code }: typeof form.values) =>
      api.post<Session>('/v1/invitations/accept', {
        token,
        password,
        ...(name.trim() && !isKnown ? { name: name.trim() } : {}),
        ...(code ? { code } : {}),
      }),
    onSuccess: (session) => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, remember(session));
      void router.navigate({ to: '/board', replace: true });
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  const asksForCode = wantsCode(join.error) || (form.values.code !== '' && join.isPending);
  const isOff = join.error instanceof Problem && join.error.code === 'passwords_off';
  const isOther = join.error instanceof Problem && join.error.code === 'wrong_credentials';
  return (
    <Frame
      title={`Join ${offer.workspaceName}`}
      lead={`${offer.invitedBy} invites ${offer.email} as ${offer.roleLabel}.`}
    >
      <form onSubmit={form.onSubmit((values) => join.mutate(values))} noValidate>
        <Stack gap="sm">
          {asksForCode ? (
            <CodeField problem={join.error} {...form.getInputProps('code')} />
          ) : (
            <>
              <SegmentedControl
                fullWidth
                aria-label="Whether you have an account"
                value={isKnown ? 'known' : 'new'}
                data={[
                  { value: 'new', label: 'I am new here' },
                  { value: 'known', label: 'I have an account' },
                ]}
                onChange={(value) => {
                  setKnown(value === 'known');
                  join.reset();
                }}
              />
              {join.isError && Object.keys(form.errors).length === 0 && (
                <Alert color="red">
                  {isOff
                    ? 'This workspace signs in with its provider. Go to the sign-in page and use the invited address there.'
                    : isOther
                      ? 'This address has an account with another password. Choose “I have an account”.'
                      : messageOf(join.error)}
                </Alert>
              )}
              {!isKnown && (
                <TextInput label="Your name" autoComplete="name" ref={focusOnMount} {...form.getInputProps('name')} />
              )}
              <PasswordInput
                label="Password"
                description={isKnown ? 'Of the account that you have.' : `At least ${PASSWORD_MIN} characters.`}
                autoComplete={isKnown ? 'current-password' : 'new-password'}
                {...form.getInputProps('password')}
              />
            </>
          )}
          <Button type="submit" size="sm" loading={join.isPending} fullWidth>
            Join
          </Button>
          {isOff && (
            <Button variant="default" size="sm" fullWidth onClick={() => void router.navigate({ to: '/sign-in' })}>
              Go to sign in
            </Button>
          )}
        </Stack>
      </form>
    </Frame>
  );
}
