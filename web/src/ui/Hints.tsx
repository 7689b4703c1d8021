import { Tooltip } from '@mantine/core';
import { useEffect, useState } from 'react';

/** As long as Mantine's own tooltips wait here. */
const OPEN_DELAY_MS = 300;

interface Hint {
  target: HTMLElement;
  label: string;
  isOpen: boolean;
}

const closed = (hint: Hint | null) => (hint?.isOpen ? { ...hint, isOpen: false } : hint);

const hinted = ({ target }: Event) => (target instanceof Element ? target.closest<HTMLElement>('[data-hint]') : null);

/** The one tooltip of everything that has a `data-hint`: one for each of hundreds of cards would cost their first view. */
export default function Hints() {
  const [hint, setHint] = useState<Hint | null>(null);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let over: HTMLElement | null = null;
    const close = () => {
      clearTimeout(timer);
      over = null;
      setHint(closed);
    };
    const move = (event: Event) => {
      const target = hinted(event);
      if (target === over) return;
      close();
      over = target;
      if (!target) return;
      timer = setTimeout(() => {
        if (target.isConnected) setHint({ target, label: target.dataset.hint ?? '', isOpen: true });
      }, OPEN_DELAY_MS);
    };
    const options = { capture: true, passive: true };
    document.addEventListener('mouseover', move, options);
    document.documentElement.addEventListener('mouseleave', close, options);
    document.addEventListener('scroll', close, options);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('mouseover', move, options);
      document.documentElement.removeEventListener('mouseleave', close, options);
      document.removeEventListener('scroll', close, options);
    };
  }, []);
  return hint && <Tooltip target={hint.target} label={hint.label} opened={hint.isOpen} />;
}
