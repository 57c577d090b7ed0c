/** What an administrator changes between captures, by the API: the editor has its own stories. */
import type { Browser, Page } from '@playwright/test';
import type { Body } from './api';
import { send } from './api';
import type { Demo } from './demo';
import { elsewhere } from './desk';

type Widget = Body & { id: string; title: string; enabled: boolean; options: Body };
type Desktop = Body & { id: string; name: string; widgets: Widget[]; revision: number };

export class Configuration {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  static async open(browser: Browser, demo: Demo): Promise<Configuration> {
    const office = await elsewhere(browser, demo);
    await office.signIn('admin');
    // A page that asks for nothing by itself.
    await office.page.goto('/icon.svg');
    return new Configuration(office.page);
  }

  async close(): Promise<void> {
    await this.page.context().close();
  }

  async get<T>(path: string): Promise<T> {
    return (await this.page.request.get(`${new URL(this.page.url()).origin}/api/v1${path}`)).json() as Promise<T>;
  }

  async put(path: string, body: Body): Promise<Body> {
    const [answer] = await send(this.page, [{ method: 'PUT', path, body }]);
    return answer!;
  }

  async post(path: string, body: Body): Promise<Body> {
    const [answer] = await send(this.page, [{ method: 'POST', path, body }]);
    return answer!;
  }

  async desktop(name = 'Demo desktop'): Promise<Desktop> {
    const { desktops } = await this.get<{ desktops: { id: string; name: string }[] }>('/desktops');
    const { id } = desktops.find((desktop) => desktop.name === name)!;
    return (await this.get<{ desktop: Desktop }>(`/desktops/${id}`)).desktop;
  }

  /** The desktop's widgets as they are to be from now on. */
  async widgets(change: (widgets: Widget[]) => Widget[]): Promise<void> {
    const { id, design: _, ...desktop } = await this.desktop();
    await this.put(`/desktops/${id}`, { ...desktop, widgets: change(desktop.widgets) });
  }

  /** Options of one widget; the others of it are as in a new one. */
  async options(title: string, options: Body): Promise<void> {
    await this.widgets((widgets) => widgets.map((widget) => (widget.title === title ? { ...widget, options } : widget)));
  }
}
