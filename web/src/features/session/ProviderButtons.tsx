import { Alert, Button, Divider, Group, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { messageOf } from '@/api/problem';
import { providersQuery, signInApi } from './queries';

interface Props {
  workspace: string | undefined;
  next: string | undefined;
}

/** Signing in with the provider of a workspace, where one is set up. */
export function ProviderButtons({ workspace, next }: Props) {
  const [named, setNamed] = useState('');
  const [asked, setAsked] = useState<string>();
  const slug = asked ?? workspace;
  const offered = useQuery(providersQuery(slug));
  const begin = useMutation({
    mutationFn: signInApi.begin,
    onSuccess: ({ url }) => window.location.assign(url),
  });
  if (!offered.data) return null;
  const { data, hasOthers } = offered.data;
  const isUnknown = asked !== undefined && data.length === 0 && !offered.isFetching;
  if (data.length === 0 && !hasOthers && !isUnknown) return null;
  return (
    <Stack gap="sm" mt="md">
      <Divider label="or" labelPosition="center" />
      {begin.isError && <Alert color="red">{messageOf(begin.error)}</Alert>}
      {data.map((provider) => (
        <Button
          key={provider.workspace}
          variant="default"
          size="sm"
          fullWidth
          loading={begin.isPending || begin.isSuccess}
          onClick={() => begin.mutate({ workspace: provider.workspace, next })}
        >
          Sign in with {provider.label}
        </Button>
      ))}
      {data.length === 0 && (
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            setAsked(named.trim().toLowerCase());
          }}
        >
          <Group gap="xs" align="flex-end" wrap="nowrap">
            <TextInput
              flex={1}
              label="Workspace"
              description="Its short name, to sign in with your organisation's account."
              value={named}
              error={isUnknown ? 'No workspace of this name signs in with a provider.' : undefined}
              onChange={(event) => setNamed(event.currentTarget.value)}
            />
            <Button type="submit" variant="default" size="sm" disabled={named.trim() === ''}>
              Go on
            </Button>
          </Group>
        </form>
      )}
    </Stack>
  );
}
