import { type RefObject, startTransition, useCallback, useEffect, useState } from 'react';
import { whenIdle } from '@/lib/settled';

/** Beyond what is seen, so that scrolling does not outrun the drawing. */
const OVERSCAN = 6;
/** The least that stands above the rows: the head of the page, its filters, and the head of the list. */
const ABOVE_PX = 168;

interface Rows {
  first: number;
  /** The one after the last. */
  end: number;
}

const rowHeight = (rem: number) => rem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize);

/**
 * Which rows of a long list of equally high ones are drawn. The first time, before anything can be measured, it is as
 * many as could be seen at all; `isSeen` says whether any are.
 */
export function useRows(scroller: RefObject<HTMLElement | null>, count: number, rem: number, isSeen: boolean) {
  const [height] = useState(() => rowHeight(rem));
  const [rows, setRows] = useState<Rows>(() => ({
    first: 0,
    end: isSeen ? Math.ceil((window.innerHeight - ABOVE_PX) / height) : 0,
  }));

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / height) - OVERSCAN);
      const end = Math.ceil((element.scrollTop + element.clientHeight) / height) + OVERSCAN;
      setRows((old) => (old.first === first && old.end === end ? old : { first, end }));
    };
    const sizes = new ResizeObserver(() => startTransition(measure));
    // What was guessed is painted before more is drawn around it.
    whenIdle(() => element.isConnected && sizes.observe(element));
    element.addEventListener('scroll', measure, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener('scroll', measure);
    };
  }, [scroller, height]);

  const reveal = useCallback(
    (index: number) => {
      const element = scroller.current;
      if (!element) return;
      const [top, bottom] = [index * height, (index + 1) * height];
      if (top < element.scrollTop) element.scrollTop = top;
      else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
    },
    [scroller, height],
  );

  return { first: rows.first, end: Math.min(rows.end, count), height, reveal };
}
