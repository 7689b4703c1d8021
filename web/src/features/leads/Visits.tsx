import { Button, Skeleton, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Lead, Touch, Visit } from '@/api/shapes';
import { spentTime } from '@/lib/time';
import { Failure, SafeLink, Tag, Time } from '@/ui/basics';
import classes from './Lead.module.css';
import { visitsQuery } from './queries';
import { originWords } from './words';

const SHOWN_PAGES = 8;

/** How warm the visits make the lead, in a line; its parts stand below as those of every score. */
export function EngagementHead({ lead }: { lead: Lead }) {
  const { engagement, engagementLabel, sessionDurationSeconds, pagesVisited, returnVisits } = lead;
  const pages = pagesVisited === 1 ? '1 page' : `${pagesVisited ?? 0} pages`;
  const returns = returnVisits === 1 ? 'came back once' : `came back ${returnVisits ?? 0} times`;
  return (
    <>
      <Text size="sm" fw={600} mt="sm">
        Engagement {engagement} of 100: {engagementLabel?.toLowerCase()}
      </Text>
      <div className={classes.small}>
        Looked at {pages} for {spentTime(sessionDurationSeconds ?? 0)}, {returns}
      </div>
    </>
  );
}

/** What the lead's visitors did on the sites that carry our script, newest first. */
export function Visits({ lead }: { lead: Lead }) {
  const visits = useQuery(visitsQuery(lead.id));
  if (visits.isPending) return lead.engagement == null ? null : <Skeleton h={96} mt="sm" />;
  if (visits.isError) return <Failure error={visits.error} retry={() => void visits.refetch()} />;
  const { data, total } = visits.data;
  if (data.length === 0) return null;
  return (
    <div className={classes.visits}>
      <Title order={3}>{total === 1 ? 'One visit' : `${total} visits`}</Title>
      <ol className={classes.timeline}>
        {data.map((visit) => (
          <VisitEntry key={`${visit.startedAt} ${visit.sessionId}`} visit={visit} lead={lead} />
        ))}
      </ol>
      {total > data.length && <div className={classes.small}>The newest {data.length} are shown.</div>}
    </div>
  );
}

function VisitEntry({ visit, lead }: { visit: Visit; lead: Lead }) {
  const [all, setAll] = useState(false);
  const pages = all ? visit.pages : visit.pages.slice(0, SHOWN_PAGES);
  const hasSent = visit.sessionId != null && visit.sessionId === lead.sessionId;
  const clicks = visit.clickCount === 1 ? '1 click' : `${visit.clickCount} clicks`;
  return (
    <li>
      <div className={classes.timelineHead}>
        <span>
          <Time at={visit.startedAt} />
        </span>
        <span className={classes.small}>
          {spentTime(visit.activeSeconds)} · read {visit.maxScrollPercent} % · {clicks} · {originWords(visit.touch)}
        </span>
        {hasSent && <Tag>sent the form</Tag>}
      </div>
      <ol className={classes.pages} aria-label="Pages">
        {pages.map((page) => (
          <li key={`${page.at} ${page.url}`}>
            <span className={classes.pageTime}>{spentTime(page.seconds)}</span>
            <SafeLink url={page.url} />
          </li>
        ))}
      </ol>
      {visit.pages.length > SHOWN_PAGES && (
        <Button variant="subtle" size="compact-xs" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Fewer pages' : `All ${visit.pages.length} pages`}
        </Button>
      )}
    </li>
  );
}

/** Every touch, in a line each. */
export function TouchList({ touches }: { touches: Touch[] }) {
  return (
    <div className={classes.visits}>
      <Title order={3}>All {touches.length} touches</Title>
      <ol className={classes.pages}>
        {touches.map((touch) => (
          <li key={`${touch.at} ${originWords(touch)}`}>
            {touch.at && <Time at={touch.at} />}
            <span>{originWords(touch)}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
