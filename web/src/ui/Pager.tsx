import { Button } from '@mantine/core';
import { formatCount } from '@/lib/text';
import classes from './ui.module.css';

interface PagerProps {
  page: number;
  limit: number;
  total: number;
  totalIsCapped?: boolean;
  onPage: (page: number) => void;
}

export function Pager({ page, limit, total, totalIsCapped, onPage }: PagerProps) {
  if (total <= limit && page === 1) return null;
  const first = (page - 1) * limit + 1;
  const last = Math.min(page * limit, total);
  return (
    <nav className={classes.pager} aria-label="Pages">
      <Button variant="default" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        Previous
      </Button>
      <span>
        {formatCount(first)}–{formatCount(last)} of {formatCount(total, totalIsCapped)}
      </span>
      <Button variant="default" disabled={last >= total && !totalIsCapped} onClick={() => onPage(page + 1)}>
        Next
      </Button>
    </nav>
  );
}
