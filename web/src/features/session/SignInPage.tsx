import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useEffect } from 'react';
import { api } from '@/api/client';
import { messageOf } from '@/api/problem';
import { remember, sessionQuery } from '@/api/session';
import type { Session } from '@/api/shapes';
import { CodeField, wantsCode } from './CodeField';
import { Frame, focusOnMount } from './Frame';
import { ProviderButtons } from './ProviderButtons';
import { setupQuery, signInApi } from './queries';
import { refusedWords } from './words';

const route = getRouteApi('/sign-in');

export function SignInPage() {
  const { next, workspace, refused, step } = route.useSearch();
  const router = useRouter();
  const client = useQueryClient();
  const setup = useQuery(setupQuery);
  const form = useForm({
    initialValues: { email: '', password: '', code: '' },
    validate: {
      email: (value) => (value.trim() ? null : 'Enter your e-mail address.'),
      password: (value) => (value ? null : 'Enter your password.'),
    },
  });
  const come = (session: Session) => {
    client.clear();
    client.setQueryData(sessionQuery.queryKey, remember(session));
    router.history.push(next ?? '/board');
  };
  const signIn = useMutation({
    mutationFn: ({ code, ...body }: typeof form.values) =>
      api.post<Session>('/v1/session', code ? { ...body, code } : body),
    onSuccess: come,
  });
  const setupNeeded = setup.data?.needed === true;
  useEffect(() => {
    if (setupNeeded) void router.navigate({ to: '/setup', replace: true });
  }, [setupNeeded, router]);

  if (step === 'code') return <CodeAfterProvider onDone={come} workspace={workspace} />;
  const asksForCode = wantsCode(signIn.error) || (form.values.code !== '' && signIn.isPending);
  if (asksForCode) {
    return (
      <Frame title="Second factor" lead={`Signing in as ${form.values.email}.`}>
        <form onSubmit={form.onSubmit((values) => signIn.mutate(values))} noValidate>
          <Stack gap="sm">
            <CodeField problem={signIn.error} {...form.getInputProps('code')} />
            <Button type="submit" size="sm" loading={signIn.isPending} fullWidth>
              Sign in
            </Button>
            <Button
              variant="subtle"
              size="sm"
              onClick={() => {
                form.reset();
                signIn.reset();
              }}
            >
              Use another account
            </Button>
          </Stack>
        </form>
      </Frame>
    );
  }
  return (
    <Frame
      title="Sign in"
      lead={setup.data?.demo ? 'Demo: the credentials stand in the terminal.' : 'Use the account of your workspace.'}
    >
      <form onSubmit={form.onSubmit((values) => signIn.mutate(values))} noValidate>
        <Stack gap="sm">
          {refused && !signIn.isError && <Alert color="red">{refusedWords(refused)}</Alert>}
          {signIn.isError && <Alert color="red">{messageOf(signIn.error)}</Alert>}
          <TextInput
            label="E-mail"
            type="email"
            autoComplete="username"
            ref={focusOnMount}
            {...form.getInputProps('email')}
          />
          <PasswordInput label="Password" autoComplete="current-password" {...form.getInputProps('password')} />
          <Button type="submit" size="sm" loading={signIn.isPending} fullWidth>
            Sign in
          </Button>
        </Stack>
      </form>
      <ProviderButtons workspace={workspace} next={next} />
    </Frame>
  );
}

/** Whoever has a second factor is asked for it after their provider, too. */
function CodeAfterProvider({
  onDone,
  workspace,
}: {
  onDone: (session: Session) => void;
  workspace: string | undefined;
}) {
  const router = useRouter();
  const form = useForm({ initialValues: { code: '' }, validate: { code: (code) => (code ? null : 'Enter a code.') } });
  const finish = useMutation({ mutationFn: signInApi.finish, onSuccess: onDone });
  return (
    <Frame title="Second factor" lead="Your provider knows you; one step is left.">
      <form onSubmit={form.onSubmit(({ code }) => finish.mutate(code))} noValidate>
        <Stack gap="sm">
          <CodeField problem={finish.isError ? finish.error : undefined} {...form.getInputProps('code')} />
          <Button type="submit" size="sm" loading={finish.isPending} fullWidth>
            Sign in
          </Button>
          <Button
            variant="subtle"
            size="sm"
            onClick={() => void router.navigate({ to: '/sign-in', search: workspace ? { workspace } : {} })}
          >
            Begin again
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}
