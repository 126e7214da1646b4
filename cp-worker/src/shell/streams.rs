//! The platform's streams, by which files pass without entering our memory.

use crate::limits::{DRAIN_BYTES, DRAIN_MS};
use protocol::frame::HEADER_BYTES;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use wasm_bindgen::prelude::*;
use worker::Delay;
use worker::js_sys::{ArrayBuffer, Promise, Uint8Array};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, WritableStream, WritableStreamDefaultWriter};

#[wasm_bindgen]
extern "C" {
    /// Reads into a buffer that it is given.
    #[wasm_bindgen(js_name = ReadableStreamBYOBReader)]
    type BufferReader;

    #[wasm_bindgen(constructor, catch, js_class = "ReadableStreamBYOBReader")]
    fn new(stream: &ReadableStream) -> Result<BufferReader, JsValue>;

    /// workerd's own: as `read`, but settles only when it has so many bytes or the stream ends.
    #[wasm_bindgen(method, js_name = readAtLeast)]
    fn read_at_least(this: &BufferReader, bytes: u32, view: &Uint8Array) -> Promise;

    #[wasm_bindgen(method)]
    fn cancel(this: &BufferReader) -> Promise;

    /// What a read gives.
    type ReadResult;

    #[wasm_bindgen(method, getter)]
    fn value(this: &ReadResult) -> Option<Uint8Array>;

    /// A stream that digests what is written to it.
    #[wasm_bindgen(extends = WritableStream, js_namespace = crypto)]
    type DigestStream;

    #[wasm_bindgen(constructor, catch, js_namespace = crypto)]
    fn new(algorithm: &str) -> Result<DigestStream, JsValue>;

    #[wasm_bindgen(method, getter)]
    fn digest(this: &DigestStream) -> Promise;

    /// A pipe for a body whose length is known, so that its response has a `Content-Length`.
    pub type FixedLengthStream;

    #[wasm_bindgen(constructor, catch)]
    pub fn new(bytes: f64) -> Result<FixedLengthStream, JsValue>;

    #[wasm_bindgen(method, getter)]
    pub fn readable(this: &FixedLengthStream) -> ReadableStream;

    #[wasm_bindgen(method, getter)]
    pub fn writable(this: &FixedLengthStream) -> WritableStream;
}

/// A request's body, read in pieces of a wanted length.
pub struct Body(Option<BufferReader>);

/// Bytes of a body behind room for a frame's header.
pub struct Piece {
    bytes: Uint8Array,
}

impl Body {
    /// Takes the body of a request; one without is empty.
    pub fn new(stream: Option<ReadableStream>) -> Result<Self, JsValue> {
        stream.map(|stream| BufferReader::new(&stream)).transpose().map(Self)
    }

    /// The next `len` bytes, or what there is before the end.
    ///
    /// # Errors
    /// When the body breaks off.
    pub fn piece(&self, len: usize) -> impl Future<Output = Result<Piece, JsValue>> + use<> {
        // A chunk's length fits; JavaScript keeps the bytes.
        let (room, len) = (HEADER_BYTES as u32, len as u32);
        let reading = self.0.as_ref().map(|reader| {
            let buffer = ArrayBuffer::new(room + len);
            let view = Uint8Array::new_with_byte_offset_and_length(&buffer, room, len);
            JsFuture::from(reader.read_at_least(len, &view))
        });
        async move {
            let Some(reading) = reading else { return Ok(Piece::empty()) };
            let result: ReadResult = reading.await?.unchecked_into();
            Ok(result.value().map_or_else(Piece::empty, |bytes| Piece { bytes }))
        }
    }

    /// Reads the rest away, within bounds, and wants no more of it.
    pub async fn drain(self) {
        let Some(reader) = self.0 else { return };
        let rest = async {
            let mut left = protocol::limits::FILE_BYTES;
            while left > 0 {
                let view = Uint8Array::new_with_length(DRAIN_BYTES);
                let read = JsFuture::from(reader.read_at_least(1, &view)).await;
                let Ok(result) = read.map(JsCast::unchecked_into::<ReadResult>) else { return };
                let Some(bytes) = result.value().filter(|bytes| bytes.length() > 0) else { return };
                left = left.saturating_sub(bytes.length().into());
            }
        };
        within(DRAIN_MS, rest).await;
        let _ = reader.cancel();
    }
}

/// Lets `future` run for so many milliseconds.
async fn within(limit_ms: u64, future: impl Future<Output = ()>) {
    let mut future = pin!(future);
    let mut delay = pin!(Delay::from(Duration::from_millis(limit_ms)));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Pending => delay.as_mut().poll(context),
        ready => ready,
    })
    .await;
}

impl Piece {
    fn empty() -> Self {
        Self { bytes: Uint8Array::new_with_length(0) }
    }

    /// Bytes without the header.
    pub fn len(&self) -> usize {
        self.bytes.length() as usize
    }

    /// The bytes without the header.
    pub fn payload(&self) -> &Uint8Array {
        &self.bytes
    }

    /// The whole frame.
    pub fn frame(&self, header: &[u8; HEADER_BYTES]) -> Uint8Array {
        let (room, buffer) = (HEADER_BYTES as u32, self.bytes.buffer());
        let frame = if self.bytes.byte_offset() >= room {
            let start = self.bytes.byte_offset() - room;
            let len = room + self.bytes.length();
            Uint8Array::new_with_byte_offset_and_length(&buffer, start, len)
        } else {
            // The platform gave another buffer than ours.
            let frame = Uint8Array::new_with_length(room + self.bytes.length());
            frame.set(&self.bytes, room);
            frame
        };
        frame.subarray(0, room).copy_from(header);
        frame
    }
}

/// SHA-256 of what passes, by the platform.
pub struct Digest {
    stream: DigestStream,
    writer: WritableStreamDefaultWriter,
}

impl Digest {
    /// A digest of nothing so far.
    pub fn new() -> Result<Self, JsValue> {
        let stream = DigestStream::new("SHA-256")?;
        let writer = stream.get_writer()?;
        Ok(Self { stream, writer })
    }

    /// Adds bytes.
    pub async fn add(&self, bytes: &Uint8Array) -> Result<(), JsValue> {
        JsFuture::from(self.writer.write_with_chunk(bytes)).await.map(drop)
    }

    /// The digest in lower-case hex.
    pub async fn finish(&self) -> Result<String, JsValue> {
        JsFuture::from(self.writer.close()).await?;
        let digest = JsFuture::from(self.stream.digest()).await?;
        let bytes = Uint8Array::new(&digest).to_vec();
        Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}
