import { Menu } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { api } from '@/api/client';
import { remember, sessionQuery, useSession } from '@/api/session';
import type { Session } from '@/api/shapes';
import { useOpensAtOnce } from '@/ui/onDemand';
import { toastError } from '@/ui/toast';

/** The workspaces of whoever is in more than one. */
export default function WorkspaceList({ children }: { children: ReactElement }) {
  const session = useSession();
  const client = useQueryClient();
  const router = useRouter();
  const change = useMutation({
    mutationFn: (workspaceId: string) => api.patch<Session>('/v1/session', { workspaceId }),
    onSuccess: (next) => {
      client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
      client.setQueryData(sessionQuery.queryKey, remember(next));
      void router.navigate({ to: '/board' });
    },
    onError: (error) => toastError('The workspace was not changed', error),
  });
  return (
    <Menu position="bottom-start" width={220} {...useOpensAtOnce()}>
      <Menu.Target>{children}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Workspaces</Menu.Label>
        {session.workspaces.map(({ id, name }) => (
          <Menu.Item
            key={id}
            rightSection={id === session.workspace.id && <IconCheck size={14} aria-label="Current" />}
            onClick={() => id !== session.workspace.id && change.mutate(id)}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
