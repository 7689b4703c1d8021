import { SegmentedControl, Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type TableSearch, withPipeline } from './filters';
import { PipelineSwitch } from './PipelineSwitch';
import classes from './ViewHead.module.css';

/** The head of both views of the leads, with the switch between them that keeps the filters. */
export function ViewHead({
  title,
  filters,
  menu,
  children,
}: {
  title: 'Board' | 'Leads';
  filters: TableSearch;
  menu: ReactNode;
  children: ReactNode;
}) {
  const navigate = useNavigate();
  return (
    <header className={classes.head}>
      <Title order={1}>{title}</Title>
      <SegmentedControl
        size="xs"
        aria-label="View"
        value={title}
        data={[
          { value: 'Board', label: 'Board' },
          { value: 'Leads', label: 'Table' },
        ]}
        onChange={(view) => void navigate({ to: view === 'Board' ? '/board' : '/leads', search: filters })}
      />
      <PipelineSwitch
        view={title}
        chosen={filters.pipelineId}
        onChoose={(pipelineId) =>
          void navigate({ to: title === 'Board' ? '/board' : '/leads', search: withPipeline(filters, pipelineId) })
        }
      />
      {menu}
      <div className={classes.end}>{children}</div>
    </header>
  );
}
