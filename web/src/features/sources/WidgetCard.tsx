import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Widget } from '@/api/shapes';
import { CodeBlock } from '@/ui/Copy';
import { sourceKeys, useDeleteSource } from './queries';
import { Card, Received } from './SourceCards';
import classes from './Sources.module.css';

export function WidgetCard({ widget, why }: { widget: Widget; why?: string }) {
  const remove = useDeleteSource(sourceKeys.widgets, '/v1/capture/widgets');
  return (
    <Card
      name={widget.name}
      status={<Received {...widget} />}
      why={why}
      onDelete={() => remove.mutateAsync(widget)}
      deleting="It disappears from the websites that show it. Its leads and conversations stay."
      actions={
        <>
          <Button component={Link} to={`/captures?widget=${widget.id}`} variant="subtle" size="compact-xs">
            Captures
          </Button>
          <Button component={Link} to={`/widgets/${widget.id}`} variant="subtle" size="compact-xs">
            Settings and preview
          </Button>
        </>
      }
    >
      <div className={classes.meta}>Leads to {widget.phoneNumber} on WhatsApp</div>
      <div className={classes.snippet}>
        <CodeBlock text={widget.snippet} label={`Script line of ${widget.name}`} wrap />
      </div>
    </Card>
  );
}
