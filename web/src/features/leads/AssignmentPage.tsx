import { ActionIcon, Menu, Skeleton, Switch, Table } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconDots } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { membersQuery } from '@/api/lookups';
import { usePermits } from '@/api/session';
import type { AssignmentRule } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { Empty, Failure, PermitButton, Section, Time } from '@/ui/basics';
import { Confirm } from '@/ui/Confirm';
import { groupOf } from '@/ui/filter/conditions';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast, toastError } from '@/ui/toast';
import { AssignmentDialog, METHODS } from './AssignmentDialog';
import { assignmentRulesQuery, useRuleWrites } from './assignmentQueries';
import { useConditionWords } from './FilterChips';
import classes from './Segments.module.css';

/** Who gets which new leads: the rules in the order in which they are asked. */
export function AssignmentPage() {
  const rules = useQuery(assignmentRulesQuery);
  const why = usePermits().why('settings:manage');
  const [editing, setEditing] = useState<AssignmentRule | 'new' | null>(null);
  if (rules.isPending) return <Skeleton h={320} />;
  if (rules.isError) return <Failure error={rules.error} retry={() => void rules.refetch()} />;
  const make = (
    <PermitButton why={why} onClick={() => setEditing('new')}>
      Add rule
    </PermitButton>
  );
  const all = rules.data;
  return (
    <Section title="Assignment rules" flush={all.length > 0} actions={all.length > 0 && make}>
      {all.length === 0 && (
        <Empty title="New leads are nobody’s" action={make}>
          A rule gives new leads to people at once: in turn, to whoever has the fewest, or always to the same person.
          Leads that have an owner already are left alone.
        </Empty>
      )}
      {all.length > 0 && (
        <ScrollTable label="Assignment rules, in the order in which they are asked">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Rule</Table.Th>
              <Table.Th>Leads</Table.Th>
              <Table.Th>Go to</Table.Th>
              <Table.Th>Given out</Table.Th>
              <Table.Th>On</Table.Th>
              <ActionsHead />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {all.map((rule, index) => (
              <Row
                key={rule.id}
                rule={rule}
                index={index}
                count={all.length}
                why={why}
                onEdit={() => setEditing(rule)}
              />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
      {editing && <AssignmentDialog rule={editing === 'new' ? undefined : editing} onClose={() => setEditing(null)} />}
    </Section>
  );
}

interface RowProps {
  rule: AssignmentRule;
  index: number;
  count: number;
  why: string | undefined;
  onEdit: () => void;
}

function Row({ rule, index, count, why, onEdit }: RowProps) {
  const { change, remove } = useRuleWrites();
  const [removing, setRemoving] = useState(false);
  const words = useConditionWords();
  const members = useQuery(membersQuery).data ?? [];
  const names = rule.members.map((id) => members.find((member) => member.id === id)?.name ?? 'Somebody who left');
  const group = groupOf(rule.filter);
  const save = (said: { position?: number; isActive?: boolean }) =>
    change.mutate({ id: rule.id, ...said }, { onError: (error) => toastError(`${rule.name} was not changed`, error) });
  return (
    <Table.Tr>
      <Cell>
        <strong>{rule.name}</strong>
      </Cell>
      <Cell label="Leads">
        {group && group.children.length > 0
          ? group.children.map(words).join(group.match === 'all' ? ' and ' : ' or ')
          : 'Every new lead'}
      </Cell>
      <Cell label="Go to">
        {names.join(', ')}
        <div className={classes.note}>
          {METHODS.find(({ value }) => value === rule.method)?.label}
          {rule.onlyAvailable && ', only who is at work'}
        </div>
      </Cell>
      <Cell label="Given out">
        {formatCount(rule.assignedCount)}
        {rule.lastAssignedAt && (
          <div className={classes.note}>
            <Time at={rule.lastAssignedAt} />
          </div>
        )}
      </Cell>
      <Cell label="On">
        <Switch
          aria-label={`${rule.name} is on`}
          checked={change.isPending ? (change.variables.isActive ?? rule.isActive) : rule.isActive}
          disabled={why !== undefined || change.isPending}
          onChange={(event) => save({ isActive: event.currentTarget.checked })}
        />
      </Cell>
      <Cell actions>
        {!why && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`More for ${rule.name}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={onEdit}>Edit…</Menu.Item>
              <Menu.Item
                leftSection={<IconArrowUp size={14} />}
                disabled={index === 0}
                onClick={() => save({ position: index - 1 })}
              >
                Ask earlier
              </Menu.Item>
              <Menu.Item
                leftSection={<IconArrowDown size={14} />}
                disabled={index === count - 1}
                onClick={() => save({ position: index + 1 })}
              >
                Ask later
              </Menu.Item>
              <Menu.Item onClick={() => setRemoving(true)}>Delete…</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
        <Confirm
          opened={removing}
          title={`Delete ${rule.name}`}
          verb="Delete"
          onClose={() => setRemoving(false)}
          onConfirm={async () => {
            await remove.mutateAsync(rule.id);
            toast(`Deleted ${rule.name}`);
          }}
        >
          New leads go by the other rules. Leads that it gave to somebody stay theirs.
        </Confirm>
      </Cell>
    </Table.Tr>
  );
}
