import { Anchor, Button, type ButtonProps, Title } from '@mantine/core';
import { type MouseEventHandler, type ReactNode, Suspense } from 'react';
import { messageOf } from '@/api/problem';
import { initials, safeUrl } from '@/lib/text';
import { absoluteTime, relativeTime } from '@/lib/time';
import { later } from './onDemand';
import classes from './ui.module.css';

export function PageHead({ title, children, note }: { title: string; note?: ReactNode; children?: ReactNode }) {
  return (
    <header className={classes.pageHead}>
      <Title order={1}>{title}</Title>
      {note}
      <div className={classes.pageActions}>{children}</div>
    </header>
  );
}

export function PageBody({ children }: { children: ReactNode }) {
  return <div className={classes.page}>{children}</div>;
}

interface SectionProps {
  title: string;
  aside?: ReactNode;
  actions?: ReactNode;
  flush?: boolean;
  children: ReactNode;
}

export function Section({ title, aside, actions, flush, children }: SectionProps) {
  return (
    <section className={classes.section} aria-label={title}>
      <div className={classes.sectionHead}>
        <Title order={2}>{title}</Title>
        {aside}
        <div className={classes.pageActions}>{actions}</div>
      </div>
      <div className={flush ? undefined : classes.sectionBody}>{children}</div>
    </section>
  );
}

export const Dot = ({ color }: { color: string }) => (
  <span className={classes.dot} data-color={color} aria-hidden="true" />
);

export const Tag = ({ children }: { children: string }) => (
  <span className={classes.tag} title={children}>
    {children}
  </span>
);

export const Avatar = ({ name }: { name: string }) => (
  <span className={classes.avatar} title={name} role="img" aria-label={name}>
    {initials(name)}
  </span>
);

export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={absoluteTime(at)}>
      {relativeTime(at)}
    </time>
  );
}

/** A state in words with a dot, so that colour is never the only sign. */
export function State({ color, children }: { color: string; children: ReactNode }) {
  return (
    <span className={classes.state}>
      <Dot color={color} />
      {children}
    </span>
  );
}

/** A link when the text is an http(s) URL, plain text otherwise. */
export function SafeLink({ url, children }: { url: string; children?: ReactNode }) {
  const href = safeUrl(url);
  if (!href) return <>{children ?? url}</>;
  return (
    <Anchor href={href} target="_blank" rel="noopener noreferrer" fz="inherit">
      {children ?? url}
    </Anchor>
  );
}

interface EmptyProps {
  title: string;
  children: ReactNode;
  action?: ReactNode;
}

export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className={classes.empty}>
      <Title order={2}>{title}</Title>
      <p>{children}</p>
      {action}
    </div>
  );
}

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  return (
    <div className={classes.failure} role="alert">
      <span>{messageOf(error)}</span>
      {retry && (
        <Button variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

const Explained = later(() => import('./Explained'));

interface PermitButtonProps extends ButtonProps {
  /** Why it is off; on when absent. */
  why: string | undefined;
  onClick?: MouseEventHandler<HTMLButtonElement>;
  type?: 'button' | 'submit';
  children: ReactNode;
}

/** A button that stays visible without the permission, and says why it is off. */
export function PermitButton({ why, onClick, children, ...rest }: PermitButtonProps) {
  if (!why) {
    return (
      <Button onClick={onClick} {...rest}>
        {children}
      </Button>
    );
  }
  const off = (
    <Button {...rest} type="button" data-disabled aria-disabled="true" onClick={(event) => event.preventDefault()}>
      {children}
    </Button>
  );
  return (
    <Suspense fallback={off}>
      <Explained why={why}>{off}</Explained>
    </Suspense>
  );
}
