import { type KeyboardEvent, type MouseEvent, useEffect, useEffectEvent, useRef } from 'react';
import type { InboxEntry } from '@/api/shapes';
import { usePageKeys } from '@/lib/keys';

/** Where a key leads from the entry that has the focus, by the entries' numbers. */
const STEPS: Record<string, (here: number, last: number) => number> = {
  ArrowDown: (here, last) => Math.min(here + 1, last),
  ArrowUp: (here) => Math.max(here - 1, 0),
  Home: () => 0,
  End: (_, last) => last,
};

/** The keyboard's ways between the list and the conversation that is open, and where the focus goes on them. */
export function useWalk(rows: InboxEntry[], opened: string | undefined, show: (id: string | undefined) => void) {
  const list = useRef<HTMLUListElement>(null);
  const pane = useRef<HTMLElement>(null);
  /** What the focus goes to once the conversation is shown. */
  const wish = useRef<'pane' | 'entry' | null>(null);
  const shown = useRef(opened);
  const listedAt = rows.findIndex(({ id }) => id === opened);
  /** Closed or put off, it leaves the list, and the next one takes its place. */
  const place = useRef(0);
  useEffect(() => {
    if (listedAt >= 0) place.current = listedAt;
  }, [listedAt]);

  const links = () => [...(list.current?.querySelectorAll('a') ?? [])];
  /** On a phone either the list or the conversation is there. */
  const isListShown = () => (list.current?.getClientRects().length ?? 0) > 0;
  const focusEntry = (id: string | undefined) => {
    const at = rows.findIndex((row) => row.id === id);
    links()[at < 0 ? Math.min(place.current, rows.length - 1) : at]?.focus();
  };
  const follow = useEffectEvent(() => {
    if (opened === shown.current) return;
    if (!opened) focusEntry(shown.current);
    else if (wish.current === 'entry' && isListShown()) focusEntry(opened);
    else if (wish.current) pane.current?.focus();
    shown.current = opened;
    wish.current = null;
  });
  useEffect(() => {
    if (opened !== shown.current) follow();
  }, [opened]);

  const open = (event: MouseEvent, id: string) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    wish.current = 'pane';
    if (id === opened) pane.current?.focus();
  };
  const leave = () => (isListShown() ? focusEntry(opened) : show(undefined));
  const step = (by: 1 | -1) => {
    const gone = by > 0 ? place.current : place.current - 1;
    const next = rows[!opened ? 0 : listedAt >= 0 ? listedAt + by : gone];
    if (!next) return;
    wish.current = 'entry';
    show(next.id);
  };
  usePageKeys({ j: () => step(1), k: () => step(-1) });

  /** In the list the arrows lead from entry to entry, as they lead from card to card on the board. */
  const walk = (event: KeyboardEvent) => {
    const all = links();
    const to = STEPS[event.key]?.(all.indexOf(event.target as HTMLAnchorElement), all.length - 1);
    if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    all[to]?.focus();
  };
  const walkIn = (event: KeyboardEvent) => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    links()[0]?.focus();
  };
  return { list, pane, open, leave, walk, walkIn };
}
