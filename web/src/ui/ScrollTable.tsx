import { Table, type TableTdProps } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './ui.module.css';

interface ScrollTableProps {
  label: string;
  /** How a row looks on a phone: a line for each cell, or the cells behind one another. */
  stack?: 'lines' | 'chips';
  /** It still shows the answer to the question before. */
  isOld?: boolean;
  children: ReactNode;
}

/** A plain table; on a phone each row is a card, and between the two it scrolls sideways, also by keyboard. */
export function ScrollTable({ label, stack = 'lines', isOld, children }: ScrollTableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
    <section className={classes.scrollX} data-stack={stack} tabIndex={0} aria-label={label} aria-busy={isOld}>
      <Table verticalSpacing={6} horizontalSpacing="sm">
        {children}
      </Table>
    </section>
  );
}

interface CellProps extends TableTdProps {
  /** Stands before the value where the head of the table is not seen; the first cell needs none. */
  label?: string;
  /** The buttons of the row, which stay in its corner. */
  actions?: boolean;
  /** Left out on a phone: it only says what is not. */
  beside?: boolean;
}

export const Cell = ({ label, actions, beside, children, ...rest }: CellProps) => (
  <Table.Td data-label={label} data-actions={actions || undefined} data-beside={beside || undefined} {...rest}>
    {children}
  </Table.Td>
);

export const ActionsHead = () => (
  <Table.Th>
    <span className="visually-hidden">Actions</span>
  </Table.Th>
);
