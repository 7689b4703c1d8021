import { Button, Group } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Empty } from '@/ui/basics';

export function NoSources() {
  return (
    <Empty
      title="No leads yet"
      action={
        <Group justify="center" gap="xs">
          <Button component={Link} to="/sources">
            Set up a source
          </Button>
          <Button component={Link} to="/imports" variant="default">
            Import a file
          </Button>
        </Group>
      }
    >
      A source lets leads in: a form on your website or an inbound webhook. Each new lead appears here at once, in the
      first stage.
    </Empty>
  );
}
