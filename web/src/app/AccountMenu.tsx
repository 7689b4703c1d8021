import { Menu, Text } from '@mantine/core';
import { useDisclosure, useMediaQuery } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactElement } from 'react';
import { api } from '@/api/client';
import { useSession } from '@/api/session';
import { ChangePassword } from '@/features/session/ChangePassword';
import { useOpensAtOnce } from '@/ui/onDemand';
import { toastError } from '@/ui/toast';
import classes from './Shell.module.css';
import { ThemeMenu } from './ThemeMenu';

interface Props {
  /** The pages for which the navigation of a phone has no room. */
  pages: { to: string; label: string }[];
  children: ReactElement;
}

/** Who is signed in, and what they may change about it. */
export default function AccountMenu({ pages, children }: Props) {
  const isPhone = useMediaQuery('(max-width: 48em)', false, { getInitialValueInEffect: false });
  const session = useSession();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [changing, changingControl] = useDisclosure(false);
  const signOut = useMutation({
    mutationFn: () => api.delete('/v1/session'),
    onSuccess: async () => {
      await navigate({ to: '/sign-in' });
      client.clear();
    },
    onError: (error) => toastError('You were not signed out', error),
  });
  return (
    <>
      <Menu position="bottom-end" width={240} {...useOpensAtOnce()}>
        <Menu.Target>{children}</Menu.Target>
        <Menu.Dropdown>
          <div className={classes.who}>
            <Text size="sm" fw={600}>
              {session.user.name}
            </Text>
            <Text size="xs" c="dimmed">
              {session.user.email} · {session.roleLabel}
            </Text>
          </div>
          <Menu.Divider />
          <ThemeMenu />
          <Menu.Divider />
          {isPhone &&
            pages.map(({ to, label }) => (
              <Menu.Item key={to} component={Link} to={to}>
                {label}
              </Menu.Item>
            ))}
          {isPhone && <Menu.Divider />}
          <Menu.Item component={Link} to="/jobs">
            Recent jobs
          </Menu.Item>
          {session.hasPassword && <Menu.Item onClick={changingControl.open}>Change the password</Menu.Item>}
          <Menu.Item onClick={() => signOut.mutate()}>Sign out</Menu.Item>
          <Menu.Divider />
          <Menu.Label>Leadline {session.version}</Menu.Label>
        </Menu.Dropdown>
      </Menu>
      <ChangePassword opened={changing} onClose={changingControl.close} />
    </>
  );
}
