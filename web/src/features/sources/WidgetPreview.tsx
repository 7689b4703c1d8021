import { useEffect, useRef } from 'react';
import { showWidget, type WidgetSettings } from '@/lib/embedWidget';
import classes from './Sources.module.css';

/** The widget as websites show it, drawn by its own code. Nothing is sent. */
export function WidgetPreview({ settings }: { settings: WidgetSettings }) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = JSON.stringify(settings);
  useEffect(() => {
    if (!place.current) return;
    const nothing = () => Promise.resolve({ text: 'This is a preview. Nothing was sent.' });
    const host = showWidget(place.current, JSON.parse(drawn) as WidgetSettings, nothing, true);
    return () => host.remove();
  }, [drawn]);
  return <div ref={place} className={classes.preview} data-side={settings.position} />;
}
