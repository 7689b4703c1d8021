import { Button, CloseButton, Menu, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { membersQuery, pipelinesQuery } from '@/api/lookups';
import { usePermits } from '@/api/session';
import { Dot, PermitButton } from '@/ui/basics';
import { type BulkAction, type BulkTarget, useBulkAction } from './mutations';
import { QuickSend } from './QuickSend';
import classes from './Table.module.css';
import { useReason } from './useReason';

interface BulkBarProps {
  target: BulkTarget;
  /** How many those are, as far as it is known. */
  count: string;
  onDone: () => void;
}

/** What can be done with the selected leads; floats over the table. */
export function BulkBar({ target, count, onDone }: BulkBarProps) {
  const permits = usePermits();
  const bulk = useBulkAction();
  const members = useQuery(membersQuery).data ?? [];
  const pipelines = useQuery(pipelinesQuery).data ?? [];
  const { ask, dialog } = useReason();
  const [tag, setTag] = useState('');
  const [sending, setSending] = useState(false);
  const chosen = 'leadIds' in target ? target.leadIds : null;
  const run = (action: BulkAction) => bulk.mutate({ ...action, target }, { onSuccess: onDone });
  const runWithTag = (action: 'tag' | 'untag') => {
    if (tag.trim()) run({ action, tags: [tag.trim()] });
    setTag('');
  };
  const locked = permits.why('leads:manage');
  const off = locked !== undefined || bulk.isPending;
  return (
    <section className={classes.bulk} aria-label="Selected leads">
      <strong>{count} selected</strong>
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
              runWithTag('tag');
            }}
          >
            <TextInput
              size="xs"
              label="Tag"
              data-autofocus
              value={tag}
              onChange={(event) => setTag(event.currentTarget.value)}
              onKeyDown={(event) => event.stopPropagation()}
            />
            <Button type="submit" mt="xs" fullWidth>
              Add the tag
            </Button>
            <Button variant="default" mt={4} fullWidth onClick={() => runWithTag('untag')}>
              Take the tag away
            </Button>
          </form>
        </Menu.Dropdown>
      </Menu>
      <PermitButton
        variant="default"
        why={permits.why('messaging:send') ?? (chosen ? undefined : 'Choose the leads one by one to write to them')}
        onClick={() => setSending(true)}
      >
        Quick send
      </PermitButton>
      {sending && chosen && <QuickSend leadIds={chosen} onClose={() => setSending(false)} />}
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
