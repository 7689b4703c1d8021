import { Button, Skeleton } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { usePermits } from '@/api/session';
import type { Import } from '@/api/shapes';
import { plural } from '@/lib/text';
import { Failure, PageBody, PageHead, PermitButton, Section } from '@/ui/basics';
import { toastError } from '@/ui/toast';
import { Columns } from './Columns';
import { DryRun } from './DryRun';
import classes from './Imports.module.css';
import { Options } from './Options';
import { Outcome } from './Outcome';
import { type Choice, goesOn, importApi, importQuery, useImportWrite } from './queries';
import { ReadAgain } from './ReadAgain';
import { whyNot } from './targets';
import { layoutWords } from './words';

const route = getRouteApi('/shell/imports/$importId');

/** A file of leads, from its columns to what became of its rows. */
export function ImportPage() {
  const { importId } = route.useParams();
  const found = useQuery(importQuery(importId));
  const file = found.data;
  return (
    <PageBody>
      <PageHead title={file?.fileName ?? 'Import'}>
        <Button component={Link} to="/imports" variant="default">
          All imports
        </Button>
      </PageHead>
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Skeleton h={320} />}
      {file && (
        <>
          <p className={classes.layout}>{`${plural(file.rowCount, 'row')} · ${layoutWords(file)}`}</p>
          {file.job ? <Outcome file={file} job={file.job} /> : <Choosing key={file.id} file={file} />}
        </>
      )}
    </PageBody>
  );
}

const choiceOf = ({ columns, options }: Import): Choice => ({
  columns: columns.map(({ target, name, key }) => ({ target, name, key })),
  options: {
    projectId: options.projectId ?? null,
    stageId: options.stageId ?? null,
    tags: options.tags,
    onMatch: options.onMatch,
    tellsDestinations: options.tellsDestinations,
  },
});

/** What the columns are, where the leads go, and a try before it begins. */
function Choosing({ file }: { file: Import }) {
  const why = usePermits().why('leads:manage');
  const navigate = useNavigate();
  const client = useQueryClient();
  const [choice, setChoice] = useState(() => choiceOf(file));
  const [changed, setChanged] = useState(false);
  const change = (next: Choice) => {
    setChoice(next);
    setChanged(true);
  };
  const save = (then: (id: string) => Promise<Import>) => async () => {
    await importApi.choose(file.id, choice);
    setChanged(false);
    return then(file.id);
  };
  const dryRun = useImportWrite(save(importApi.dryRun));
  const start = useImportWrite(save(importApi.start));
  const drop = useMutation({
    mutationFn: () => importApi.drop(file.id),
    onSuccess: async () => {
      await navigate({ to: '/imports' });
      void client.invalidateQueries({ queryKey: ['imports'] });
    },
    onError: (error) => toastError('The file was not dropped', error),
  });
  const fault = whyNot(choice.columns);
  const isBusy = dryRun.isPending || start.isPending || drop.isPending;
  return (
    <>
      <Section
        title="Columns"
        flush
        aside={file.isRemembered && <span className={classes.small}>As you chose for these columns the last time</span>}
        actions={<ReadAgain file={file} />}
      >
        <Columns file={file} choice={choice.columns} onChange={(columns) => change({ ...choice, columns })} />
      </Section>
      <Section title="Leads">
        <Options choice={choice.options} onChange={(options) => change({ ...choice, options })} />
      </Section>
      {file.checkJob && <DryRun job={file.checkJob} tally={file.tally} isStale={changed} />}
      {dryRun.isError && <Failure error={dryRun.error} />}
      {start.isError && <Failure error={start.error} />}
      <div className={classes.actions}>
        <PermitButton
          why={why ?? fault}
          variant="default"
          loading={dryRun.isPending || goesOn(file.checkJob)}
          disabled={isBusy}
          onClick={() => dryRun.mutate(undefined)}
        >
          Try without changing anything
        </PermitButton>
        <PermitButton
          why={why ?? fault}
          loading={start.isPending}
          disabled={isBusy || goesOn(file.checkJob)}
          onClick={() => start.mutate(undefined)}
        >
          {`Import ${plural(file.rowCount, 'row')}`}
        </PermitButton>
        <PermitButton why={why} variant="subtle" color="gray" loading={drop.isPending} onClick={() => drop.mutate()}>
          Drop the file
        </PermitButton>
        {fault && <span className={classes.why}>{fault}</span>}
      </div>
    </>
  );
}
