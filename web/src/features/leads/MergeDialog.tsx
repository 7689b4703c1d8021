import { Button, Group, Modal, SegmentedControl, Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { membersQuery } from '@/api/lookups';
import type { Card, MergeField, MergePreview, MergeSide } from '@/api/shapes';
import { asText, humanise, plural } from '@/lib/text';
import { Failure } from '@/ui/basics';
import classes from './Duplicates.module.css';
import { previewQuery, useMerge } from './merging';

interface MergeDialogProps {
  pair: readonly [Card, Card];
  onClose: () => void;
}

/** Two leads side by side: which one stays, and whose word counts in each field. */
export function MergeDialog({ pair, onClose }: MergeDialogProps) {
  const [winnerId, setWinnerId] = useState(pair[0].id);
  const [wishes, setWishes] = useState<Record<string, MergeSide>>({});
  const [winner, loser] = winnerId === pair[0].id ? pair : [pair[1], pair[0]];
  const preview = useQuery(previewQuery({ winnerId: winner.id, loserId: loser.id }));
  const merge = useMerge();
  const run = () => merge.mutate({ winnerId: winner.id, loserId: loser.id, fields: wishes }, { onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} size="xl" title="Merge two leads" closeButtonProps={{ 'aria-label': 'Close' }}>
      <SegmentedControl
        fullWidth
        aria-label="Which lead stays"
        value={winnerId}
        data={pair.map(({ id, name }, index) => ({
          value: id,
          label: `Keep ${name}${index === 0 ? ', the first' : ''}`,
        }))}
        onChange={(id) => {
          setWinnerId(id);
          setWishes({});
        }}
      />
      {preview.isPending && <Skeleton h={240} mt="md" />}
      {preview.isError && <Failure error={preview.error} retry={() => void preview.refetch()} />}
      {preview.data && (
        <>
          <Fields
            preview={preview.data}
            names={[winner.name, loser.name]}
            wishes={wishes}
            onWish={(field, side) => setWishes((old) => ({ ...old, [field]: side }))}
          />
          <p className={classes.dim}>{movesWords(preview.data, loser.name)}</p>
        </>
      )}
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button disabled={!preview.data} loading={merge.isPending} onClick={run}>
          Merge them
        </Button>
      </Group>
    </Modal>
  );
}

function movesWords({ submissions, activities, conversations, deliveries, tags }: MergePreview, name: string): string {
  const moves = [
    plural(submissions, 'submission'),
    plural(activities, 'line of the timeline', 'lines of the timeline'),
    plural(conversations, 'conversation'),
    ...(tags.length > 0 ? [plural(tags.length, 'tag')] : []),
  ].join(', ');
  const stay = deliveries > 0 ? ` ${plural(deliveries, 'delivery stays', 'deliveries stay')} where they are.` : '';
  return `What moves from ${name}: ${moves}.${stay} They can be split again.`;
}

interface FieldsProps {
  preview: MergePreview;
  names: [string, string];
  wishes: Record<string, MergeSide>;
  onWish: (field: string, side: MergeSide) => void;
}

function Fields({ preview, names, wishes, onWish }: FieldsProps) {
  const members = useQuery(membersQuery).data ?? [];
  const shown = (field: string, value: unknown) => {
    if (field === 'assignedTo') return members.find(({ id }) => id === value)?.name ?? asText(value);
    return asText(value);
  };
  const cell = ({ field, chosen, ...values }: MergeField, side: MergeSide) => {
    const isChosen = (wishes[field] ?? chosen) === side;
    const text = shown(field, values[side]);
    return (
      <Table.Td>
        <label className={classes.choice} data-chosen={isChosen || undefined}>
          <input type="radio" name={`merge-${field}`} checked={isChosen} onChange={() => onWish(field, side)} />
          <span>{text || 'nothing'}</span>
        </label>
      </Table.Td>
    );
  };
  return (
    <Table mt="md" verticalSpacing={4}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Field</Table.Th>
          <Table.Th>{names[0]} stays</Table.Th>
          <Table.Th>{names[1]} goes</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {preview.fields.map((field) => (
          <Table.Tr key={field.field}>
            <Table.Th scope="row">{humanise(field.field.replace(/^custom\./, ''))}</Table.Th>
            {cell(field, 'winner')}
            {cell(field, 'loser')}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
