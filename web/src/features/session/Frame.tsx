import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { Logo } from '@/ui/Logo';
import classes from './Session.module.css';

export function Frame({ title, lead, children }: { title: string; lead: ReactNode; children: ReactNode }) {
  return (
    <main className={classes.wrap}>
      <div className={classes.box}>
        <div className={classes.brand}>
          <Logo size={24} />
          Leadline
        </div>
        <Title order={1}>{title}</Title>
        <p className={classes.lead}>{lead}</p>
        {children}
      </div>
    </main>
  );
}

/** For the first field of a page that is nothing but a form. */
export const focusOnMount = (input: HTMLInputElement | null) => input?.focus();
