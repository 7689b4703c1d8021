import { Stack, Title } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { ScoringPreview as Preview } from '@/api/shapes';
import { Failure, PermitButton } from '@/ui/basics';
import { RouteLink } from '@/ui/RouteLink';
import classes from './Scoring.module.css';
import { scoringApi } from './scoringQueries';
import type { proposal } from './scoringWords';

interface ScoringPreviewProps {
  body: ReturnType<typeof proposal>;
  isDirty: boolean;
  why: string | undefined;
}

/** What the changes would make of leads that are there, before anything is saved. */
export function ScoringPreview({ body, isDirty, why }: ScoringPreviewProps) {
  const preview = useMutation({ mutationFn: scoringApi.preview });
  const isOfThese = JSON.stringify(preview.variables) === JSON.stringify(body);
  return (
    <Stack gap="xs" align="flex-start">
      <Title order={2}>Preview</Title>
      <p className={classes.small}>What this would make of the newest 1,000 leads. Nothing is saved.</p>
      <PermitButton
        variant="default"
        size="sm"
        why={why}
        loading={preview.isPending}
        onClick={() => preview.mutate(body)}
      >
        {isDirty ? 'Preview the changes' : 'Preview'}
      </PermitButton>
      {preview.isError && <Failure error={preview.error} />}
      {preview.data && isOfThese && <Outcome preview={preview.data} />}
      {preview.data && !isOfThese && (
        <p className={classes.small}>The weights differ from those of the last preview.</p>
      )}
    </Stack>
  );
}

function Outcome({ preview }: { preview: Preview }) {
  const { leads, changed, bands, movers } = preview;
  const most = Math.max(1, ...bands.flatMap(({ before, after }) => [before, after]));
  return (
    <div className={classes.outcome} aria-live="polite">
      <p>
        {changed === 0
          ? `None of ${leads} leads would have another score.`
          : `${changed} of ${leads} leads would have another score.`}
      </p>
      <table className={classes.bands}>
        <caption className="visually-hidden">Leads by score, before and after</caption>
        <thead>
          <tr>
            <th scope="col">Score</th>
            <th scope="col">Now</th>
            <th scope="col">After</th>
          </tr>
        </thead>
        <tbody>
          {bands.map(({ from, to, before, after }) => (
            <tr key={from}>
              <th scope="row">
                {from}–{to}
              </th>
              <Bar count={before} most={most} />
              <Bar count={after} most={most} isAfter />
            </tr>
          ))}
        </tbody>
      </table>
      {movers.length > 0 && (
        <>
          <h3 className={classes.subhead}>These would move most</h3>
          <ul className={classes.movers}>
            {movers.map(({ id, name, before, after }) => (
              <li key={id}>
                <RouteLink to="/leads/$leadId" params={{ leadId: id }}>
                  {name}
                </RouteLink>
                <span className={classes.move}>
                  {before} → {after}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

function Bar({ count, most, isAfter }: { count: number; most: number; isAfter?: boolean }) {
  return (
    <td>
      <span className={classes.bar}>
        <meter min={0} max={most} value={count} aria-hidden="true" data-after={isAfter || undefined} />
        {count}
      </span>
    </td>
  );
}
