"""A camera on this machine."""

import http.server
import threading
import time

import cv2

from support.pictures import picture


class Camera:
    """Serves motion JPEG; every picture's grey says how many came before."""

    def __init__(self, port=0, rate=50.0):
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
                self.end_headers()
                try:
                    while not camera.stopped.is_set():
                        data = cv2.imencode(".jpg", picture(camera.sent % 20))[1].tobytes()
                        head = f"--next\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                        self.wfile.write(head.encode() + data + b"\r\n")
                        camera.sent += 1
                        time.sleep(1 / rate)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.sent = 0
        self.stopped = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self):
        return f"http://user:secret@127.0.0.1:{self.port}/live.mjpg"

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
