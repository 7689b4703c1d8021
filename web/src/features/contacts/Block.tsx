import { Title } from '@mantine/core';
import type { ReactNode } from 'react';
import classes from './Contacts.module.css';

export function Block({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={classes.block} aria-label={title}>
      <Title order={2}>{title}</Title>
      {children}
    </section>
  );
}
