import { Skeleton, Table } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Failure, Section } from '@/ui/basics';
import { Cell, ScrollTable } from '@/ui/ScrollTable';
import { rolesQuery } from './queries';
import classes from './Settings.module.css';

const WORDS: Record<string, string> = {
  'leads:view': 'See leads',
  'leads:manage': 'Change leads',
  'leads:delete': 'Delete leads',
  'pii:view': 'See personal data unmasked',
  'sources:manage': 'Change sources',
  'destinations:view': 'See destinations',
  'destinations:manage': 'Change destinations',
  'deliveries:replay': 'Replay deliveries',
  'settings:view': 'See settings',
  'settings:manage': 'Change settings',
  'users:manage': 'Manage users',
  'tokens:manage': 'Manage all tokens',
  'audit:view': 'See the audit log',
  'messaging:send': 'Send messages',
};

export function Roles() {
  const roles = useQuery(rolesQuery);
  if (roles.isPending) return <Skeleton h={320} />;
  if (roles.isError) return <Failure error={roles.error} retry={() => void roles.refetch()} />;
  const permissions = [...new Set(roles.data.flatMap((role) => role.permissions))];
  return (
    <Section title="What each role may do" flush>
      <ScrollTable label="Roles and permissions" stack="chips">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Permission</Table.Th>
            {roles.data.map(({ name, label }) => (
              <Table.Th key={name}>{label}</Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {permissions.map((permission) => (
            <Table.Tr key={permission}>
              <Cell title={permission}>{WORDS[permission] ?? permission}</Cell>
              {roles.data.map((role) => (
                <Cell key={role.name} label={role.label} beside={!role.permissions.includes(permission)}>
                  {role.permissions.includes(permission) ? (
                    <IconCheck size={15} aria-label="Yes" />
                  ) : (
                    <span className={classes.dim}>
                      <span aria-hidden="true">–</span>
                      <span className="visually-hidden">No</span>
                    </span>
                  )}
                </Cell>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </ScrollTable>
    </Section>
  );
}
