import { Alert, Button, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { api } from '@/api/client';
import { fieldErrors, messageOf, Problem } from '@/api/problem';
import { remember, sessionQuery } from '@/api/session';
import type { Session } from '@/api/shapes';
import { PASSWORD_MIN } from '@/lib/password';
import { Frame, focusOnMount } from './Frame';

export function SetupPage() {
  const router = useRouter();
  const client = useQueryClient();
  const form = useForm({
    initialValues: { workspaceName: '', name: '', email: '', password: '' },
    validate: {
      workspaceName: (value) => (value.trim() ? null : 'Give the workspace a name.'),
      name: (value) => (value.trim() ? null : 'Enter your name.'),
      email: (value) => (value.includes('@') ? null : 'Enter your e-mail address.'),
      password: (value) => (value.length >= PASSWORD_MIN ? null : `Use at least ${PASSWORD_MIN} characters.`),
    },
  });
  const setUp = useMutation({
    mutationFn: (body: typeof form.values) => api.post<Session>('/v1/setup', body),
    onSuccess: (session) => {
      client.clear();
      client.setQueryData(sessionQuery.queryKey, remember(session));
      void router.navigate({ to: '/board', replace: true });
    },
    onError: (error) => form.setErrors(fieldErrors(error)),
  });
  const alreadyDone = setUp.error instanceof Problem && setUp.error.code === 'already_set_up';
  return (
    <Frame title="Set up Leadline" lead="Make the workspace and its first administrator.">
      <form onSubmit={form.onSubmit((values) => setUp.mutate(values))} noValidate>
        <Stack gap="sm">
          {setUp.isError && Object.keys(form.errors).length === 0 && (
            <Alert color="red">
              {messageOf(setUp.error)}
              {alreadyDone && (
                <Button variant="default" mt="xs" onClick={() => void router.navigate({ to: '/sign-in' })}>
                  Go to sign in
                </Button>
              )}
            </Alert>
          )}
          <TextInput
            label="Workspace"
            description="Your company or brand; can be changed later."
            ref={focusOnMount}
            {...form.getInputProps('workspaceName')}
          />
          <TextInput label="Your name" autoComplete="name" {...form.getInputProps('name')} />
          <TextInput label="E-mail" type="email" autoComplete="username" {...form.getInputProps('email')} />
          <PasswordInput
            label="Password"
            description={`At least ${PASSWORD_MIN} characters.`}
            autoComplete="new-password"
            {...form.getInputProps('password')}
          />
          <Button type="submit" size="sm" loading={setUp.isPending} fullWidth>
            Create the workspace
          </Button>
        </Stack>
      </form>
    </Frame>
  );
}
