import { Title } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type TableSearch, withPipeline } from './filters';
import { PipelineSwitch } from './PipelineSwitch';
import classes from './ViewHead.module.css';

const VIEWS = [
  { to: '/board', value: 'Board', label: 'Board' },
  { to: '/leads', value: 'Leads', label: 'Table' },
] as const;

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
      <div className={classes.views} role="radiogroup" aria-label="View">
        {VIEWS.map(({ to, value, label }) => (
          <label key={value} className={classes.viewOf} data-active={value === title || undefined}>
            <input
              type="radio"
              name="view"
              className="visually-hidden"
              checked={value === title}
              onChange={() => void navigate({ to, search: filters })}
            />
            {label}
          </label>
        ))}
      </div>
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
