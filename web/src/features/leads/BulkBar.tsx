import { Button, CloseButton, Menu, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { membersQuery, pipelinesQuery } from '@/api/lookups';
import { usePermits } from '@/api/session';
import { plural } from '@/lib/text';
import { Dot, PermitButton } from '@/ui/basics';
import { type BulkAction, useBulkAction } from './mutations';
import classes from './Table.module.css';
import { useReason } from './useReason';

/** What can be done with the selected rows; floats over the table. */
export function BulkBar({ leadIds, onDone }: { leadIds: string[]; onDone: () => void }) {
  const permits = usePermits();
  const bulk = useBulkAction();
  const members = useQuery(membersQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const { ask, dialog } = useReason();
  const [tag, setTag] = useState('');
  if (leadIds.length === 0) return null;
  const run = (action: BulkAction) => bulk.mutate({ ...action, leadIds }, { onSuccess: onDone });
  const locked = permits.why('leads:manage');
  const off = locked !== undefined || bulk.isPending;
  return (
    <section className={classes.bulk} aria-label="Selected leads">
      <strong>{plural(leadIds.length, 'lead')} selected</strong>
      <Menu position="top">
        <Menu.Target>
          <Button variant="default" disabled={off} title={locked}>
            Move to
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={400} className={classes.menu}>
          {pipelines.map((pipeline) => (
            <Fragment key={pipeline.id}>
              {pipelines.length > 1 && <Menu.Label>{pipeline.name}</Menu.Label>}
              {pipeline.stages.map(({ id, name, color }) => (
                <Menu.Item
                  key={id}
                  leftSection={<Dot color={color} />}
                  onClick={() => ask([], id, (reason) => run({ action: 'move_stage', stageId: id, reason }))}
                >
                  {name}
                </Menu.Item>
              ))}
            </Fragment>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Menu position="top">
        <Menu.Target>
          <Button variant="default" disabled={off} title={locked}>
            Assign
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item onClick={() => run({ action: 'assign', assignedTo: null })}>Nobody</Menu.Item>
          {members.map(({ id, name }) => (
            <Menu.Item key={id} onClick={() => run({ action: 'assign', assignedTo: id })}>
              {name}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Menu position="top">
        <Menu.Target>
          <Button variant="default" disabled={off} title={locked}>
            Tag
          </Button>
        </Menu.Target>
        <Menu.Dropdown p="xs">
          <form
            onSubmit={(event) => {
              event.preventDefault();
              if (tag.trim()) run({ action: 'tag', tags: [tag.trim()] });
              setTag('');
            }}
          >
            <TextInput
              size="xs"
              label="Tag to add"
              data-autofocus
              value={tag}
              onChange={(event) => setTag(event.currentTarget.value)}
              onKeyDown={(event) => event.stopPropagation()}
            />
            <Button type="submit" mt="xs" fullWidth>
              Add the tag
            </Button>
          </form>
        </Menu.Dropdown>
      </Menu>
      <PermitButton
        variant="default"
        why={permits.why('leads:delete')}
        loading={bulk.isPending}
        onClick={() => run({ action: 'delete' })}
      >
        Delete
      </PermitButton>
      <CloseButton aria-label="Clear the selection" onClick={onDone} />
      {dialog}
    </section>
  );
}
