import { ActionIcon, Alert, Button, Group, Menu, Modal, Skeleton, Stack, Table, TextInput } from '@mantine/core';
import { IconDots } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { defaultPipeline, pipelinesQuery } from '@/api/lookups';
import { messageOf } from '@/api/problem';
import { usePermits } from '@/api/session';
import type { Pipeline } from '@/api/shapes';
import { formatCount } from '@/lib/text';
import { Failure, PermitButton, Section, State } from '@/ui/basics';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast, toastError } from '@/ui/toast';
import { PipelineEditor } from './PipelineEditor';
import classes from './Pipelines.module.css';
import { ProjectPipelines } from './ProjectPipelines';
import { pipelineApi, usePipelineWrite } from './pipelineQueries';
import { TargetDialog } from './TargetDialog';

const leadsIn = ({ stages }: Pipeline) => stages.reduce((sum, { leadCount }) => sum + (leadCount ?? 0), 0);

/** The boards of the workspace: which there are, and what columns they have. */
export function Pipelines() {
  const pipelines = useQuery(pipelinesQuery);
  const why = usePermits().why('settings:manage');
  const [chosen, setChosen] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  if (pipelines.isPending) return <Skeleton h={320} />;
  if (pipelines.isError) return <Failure error={pipelines.error} retry={() => void pipelines.refetch()} />;
  const all = pipelines.data;
  const shown = all.find(({ id }) => id === chosen) ?? defaultPipeline(all);
  return (
    <div className={classes.page}>
      <Section
        title="Pipelines"
        flush
        actions={
          <PermitButton why={why} onClick={() => setAdding(true)}>
            Add pipeline
          </PermitButton>
        }
      >
        <ScrollTable label="Table of pipelines">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Stages</Table.Th>
              <Table.Th>Leads</Table.Th>
              <Table.Th>State</Table.Th>
              <ActionsHead />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {all.map((pipeline) => (
              <PipelineRow
                key={pipeline.id}
                pipeline={pipeline}
                all={all}
                why={why}
                isShown={pipeline === shown}
                onShow={() => setChosen(pipeline.id)}
              />
            ))}
          </Table.Tbody>
        </ScrollTable>
      </Section>
      {shown && <PipelineEditor key={shown.id} pipeline={shown} all={all} why={why} />}
      {all.length > 1 && <ProjectPipelines pipelines={all} />}
      <Modal opened={adding} onClose={() => setAdding(false)} title="New pipeline" size="sm">
        <AddPipeline
          onClose={() => setAdding(false)}
          onAdded={(pipeline) => {
            setAdding(false);
            setChosen(pipeline.id);
          }}
        />
      </Modal>
    </div>
  );
}

interface PipelineRowProps {
  pipeline: Pipeline;
  all: Pipeline[];
  why: string | undefined;
  isShown: boolean;
  onShow: () => void;
}

function PipelineRow({ pipeline, all, why, isShown, onShow }: PipelineRowProps) {
  const save = usePipelineWrite(pipelineApi.save);
  const remove = usePipelineWrite(pipelineApi.remove);
  const [removing, setRemoving] = useState(false);
  const leads = leadsIn(pipeline);
  const makeDefault = () =>
    save.mutate(
      { id: pipeline.id, isDefault: true },
      {
        onSuccess: () => toast(`New leads come into ${pipeline.name} now`),
        onError: (error) => toastError(`${pipeline.name} was not made the default`, error),
      },
    );
  return (
    <Table.Tr data-shown={isShown || undefined}>
      <Cell>
        <button type="button" className={classes.link} aria-pressed={isShown} onClick={onShow}>
          {pipeline.name}
        </button>
      </Cell>
      <Cell label="Stages">{pipeline.stages.length}</Cell>
      <Cell label="Leads">{formatCount(leads)}</Cell>
      <Cell label="State">{pipeline.isDefault && <State color="green">Default</State>}</Cell>
      <Cell actions>
        {!pipeline.isDefault && !why && (
          <Menu position="bottom-end">
            <Menu.Target>
              <ActionIcon variant="subtle" color="gray" aria-label={`More for ${pipeline.name}`}>
                <IconDots size={16} />
              </ActionIcon>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={makeDefault}>Make default</Menu.Item>
              <Menu.Item onClick={() => setRemoving(true)}>Delete…</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
        {removing && (
          <TargetDialog
            title={`Delete ${pipeline.name}`}
            verb="Delete the pipeline"
            leads={leads}
            pipelines={all.filter(({ id }) => id !== pipeline.id)}
            confirmName={pipeline.name}
            onClose={() => setRemoving(false)}
            onConfirm={async (moveLeadsTo) => {
              await remove.mutateAsync({ id: pipeline.id, moveLeadsTo });
              toast(`Deleted ${pipeline.name}`);
            }}
          />
        )}
      </Cell>
    </Table.Tr>
  );
}

function AddPipeline({ onClose, onAdded }: { onClose: () => void; onAdded: (pipeline: Pipeline) => void }) {
  const add = usePipelineWrite(pipelineApi.add);
  const [name, setName] = useState('');
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) add.mutate(name.trim(), { onSuccess: onAdded });
      }}
    >
      <Stack gap="sm">
        {add.isError && <Alert color="red">{messageOf(add.error)}</Alert>}
        <TextInput
          label="Name"
          description="It begins with six usual stages, which you can change."
          data-autofocus
          maxLength={80}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={add.isPending} disabled={name.trim() === ''}>
            Add the pipeline
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
