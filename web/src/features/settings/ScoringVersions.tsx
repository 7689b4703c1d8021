import { Skeleton, Table } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { usePermits } from '@/api/session';
import type { ScoringVersion } from '@/api/shapes';
import { Failure, PermitButton, Section, State, Time } from '@/ui/basics';
import { ActionsHead, Cell, ScrollTable } from '@/ui/ScrollTable';
import { toast, toastError } from '@/ui/toast';
import { scoringApi, useScoringWrite, versionsQuery } from './scoringQueries';
import { weightWords } from './scoringWords';

/** Every version that was saved; one that is restored becomes a new one. */
export function ScoringVersions({ current }: { current: number }) {
  const versions = useQuery(versionsQuery);
  return (
    <Section title="Versions" flush>
      {versions.isPending && <Skeleton h={120} />}
      {versions.isError && <Failure error={versions.error} retry={() => void versions.refetch()} />}
      {versions.data && versions.data.data.length === 0 && <p>None yet. What you save is listed here.</p>}
      {versions.data && versions.data.data.length > 0 && (
        <ScrollTable label="Table of versions">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Version</Table.Th>
              <Table.Th>Differs from the documentation in</Table.Th>
              <Table.Th>Note</Table.Th>
              <Table.Th>Saved</Table.Th>
              <ActionsHead />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {versions.data.data.map((version) => (
              <VersionRow key={version.version} version={version} current={current} />
            ))}
          </Table.Tbody>
        </ScrollTable>
      )}
    </Section>
  );
}

function VersionRow({ version, current }: { version: ScoringVersion; current: number }) {
  const why = usePermits().why('settings:manage');
  const restore = useScoringWrite(scoringApi.restore);
  const isCurrent = version.version === current;
  const onRestore = () =>
    restore.mutate(
      { version: version.version, current },
      {
        onSuccess: (saved) => toast(`Version ${version.version} is in use again, as version ${saved.version}`),
        onError: (error) => toastError('The version was not restored', error),
      },
    );
  return (
    <Table.Tr>
      <Cell>
        {version.version} {isCurrent && <State color="green">In use</State>}
      </Cell>
      <Cell label="Differs in">{differences(version)}</Cell>
      <Cell label="Note">{version.note ?? '–'}</Cell>
      <Cell label="Saved">
        <Time at={version.madeAt} /> by {version.madeBy}
      </Cell>
      <Cell actions>
        {!isCurrent && (
          <PermitButton variant="default" size="compact-xs" why={why} loading={restore.isPending} onClick={onRestore}>
            Restore
          </PermitButton>
        )}
      </Cell>
    </Table.Tr>
  );
}

function differences({ weights, rules }: ScoringVersion): string {
  const named = Object.entries(weights).map(([code, value]) => `${weightWords(code)} ${value}`);
  const counted = rules.length === 1 ? ['1 rule'] : rules.length > 1 ? [`${rules.length} rules`] : [];
  return [...named, ...counted].join(', ') || 'nothing';
}
