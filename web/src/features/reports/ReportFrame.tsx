import { Button, Skeleton } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { withQuery } from '@/api/client';
import type { Figures, ReportPeriod } from '@/api/shapes';
import { Empty, Failure } from '@/ui/basics';
import { pathOf } from './queries';
import classes from './Reports.module.css';
import { type ReportsSearch, reportQuery } from './search';
import { Tiles } from './Tiles';

export interface ReportBodyProps {
  search: ReportsSearch;
  today: string;
  onChange: <Key extends keyof ReportsSearch>(key: Key, value: ReportsSearch[Key] | null | undefined) => void;
}

/** What every report has. */
interface AnyReport {
  period: ReportPeriod;
  totals: Figures;
  before?: Figures | null;
}

interface ReportFrameProps<Report extends AnyReport> {
  title: string;
  note: string;
  report: UseQueryResult<Report>;
  search: ReportsSearch;
  today: string;
  actions?: ReactNode;
  children: (report: Report) => ReactNode;
}

/** The tiles, the head of a report with its table as a file, and what it says. */
export function ReportFrame<Report extends AnyReport>(props: ReportFrameProps<Report>) {
  const { title, note, report, search, today, actions, children } = props;
  if (report.isPending) return <Skeleton h={480} />;
  if (report.isError) return <Failure error={report.error} retry={() => void report.refetch()} />;
  const { period, totals, before } = report.data;
  const name = search.report ?? 'over-time';
  const isEmpty = totals.leads === 0 && (before?.leads ?? 0) === 0;
  return (
    <div aria-busy={report.isPlaceholderData}>
      <Tiles period={period} totals={totals} before={before} />
      <section aria-label={title}>
        <div className={classes.head}>
          <h2>{title}</h2>
          <div className={classes.actions}>
            {actions}
            <Button
              component="a"
              variant="default"
              href={withQuery(`${pathOf(name)}.csv`, reportQuery(search, today))}
              download
              leftSection={<IconDownload size={14} />}
            >
              CSV
            </Button>
          </div>
        </div>
        <p className={classes.note}>
          {note} Days begin at midnight in {period.timezone}
          {period.before ? `; before is ${period.before.from} to ${period.before.to}` : ''}.
        </p>
        {isEmpty ? (
          <Empty title="No leads came in these days">Choose other days, or take a filter away.</Empty>
        ) : (
          children(report.data)
        )}
      </section>
    </div>
  );
}
